import type { Clock, Disk, SlowCrypto } from '../util/env.js';
import { JwtTokens } from './jwt.js';
import { SimpleTokens } from './simple-tokens.js';
import { parseTokenOptions } from './token-options.js';
import type { TokenProvider } from './types.js';

const JWT_TTL_MS = 300_000;

/**
 * The tokens that --auth-token asks for; keys are read here, once.
 * @param ttlMs --auth-token-ttl
 * @throws Error for options or keys that cannot be used
 */
export function makeTokens(
  text: string,
  ttlMs: number,
  env: { readonly clock: Clock; readonly crypto: SlowCrypto; readonly disk: Pick<Disk, 'read' | 'size'> },
): TokenProvider {
  const options = parseTokenOptions(text);
  if (typeof options === 'string') throw new Error(options);
  if (options.kind === 'simple') return new SimpleTokens(ttlMs, env.clock, env.crypto);
  const read = (path: string): Buffer | null => {
    if (path === '') return null;
    const size = env.disk.size(path);
    if (size < 0) throw new Error(`auth: there is no key file ${path}`);
    return env.disk.read(path, 0, size);
  };
  const signer = env.crypto.tokenSigner(options.method, read(options.publicKey), read(options.privateKey));
  return new JwtTokens(signer, options.ttlMs ?? JWT_TTL_MS, env.clock);
}
