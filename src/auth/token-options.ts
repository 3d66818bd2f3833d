/** What --auth-token says. */
export type TokenOptions =
  | { readonly kind: 'simple' }
  | {
      readonly kind: 'jwt';
      readonly method: string;
      /** Paths; '' where none is given. */
      readonly publicKey: string;
      readonly privateKey: string;
      /** null: --auth-token-ttl's default of five minutes */
      readonly ttlMs: number | null;
    };

export const SIGN_METHODS: readonly string[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'HS256',
  'HS384',
  'HS512',
  'EdDSA',
];

/** `simple`, or `jwt,pub-key=<file>,priv-key=<file>,sign-method=<method>,ttl=<duration>`. A string says what is wrong. */
export function parseTokenOptions(text: string): TokenOptions | string {
  const [kind, ...rest] = text.split(',');
  if (kind === 'simple' || kind === '') return { kind: 'simple' };
  if (kind !== 'jwt') return `auth: invalid auth options: unknown token type "${kind}"`;
  const given = new Map<string, string>();
  for (const option of rest) {
    const eq = option.indexOf('=');
    const name = option.slice(0, eq);
    if (eq < 0 || given.has(name)) return `auth: invalid auth options: "${option}"`;
    if (!['pub-key', 'priv-key', 'sign-method', 'ttl'].includes(name)) {
      return `auth: invalid auth options: unknown option "${name}"`;
    }
    given.set(name, option.slice(eq + 1));
  }
  const method = given.get('sign-method') ?? '';
  if (!SIGN_METHODS.includes(method)) return `auth: invalid auth options: sign-method "${method}"`;
  const publicKey = given.get('pub-key') ?? '';
  const privateKey = given.get('priv-key') ?? '';
  if (method.startsWith('HS') ? privateKey === '' : publicKey === '' && privateKey === '') {
    return `auth: invalid auth options: ${method} needs a key`;
  }
  const ttl = given.get('ttl');
  const ttlMs = ttl === undefined ? null : parseTtl(ttl);
  if (ttlMs !== null && !(ttlMs > 0)) return `auth: invalid auth options: ttl "${ttl}"`;
  return { kind: 'jwt', method, publicKey, privateKey, ttlMs };
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** As Go writes durations: 1h30m; NaN for what is none. */
function parseTtl(text: string): number {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return Number.NaN;
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    ms += Number(amount) * (UNIT_MS[unit as string] as number);
  }
  return ms;
}
