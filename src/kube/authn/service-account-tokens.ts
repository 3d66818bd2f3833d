/** Checks service-account tokens: signature, issuer, audience, time, and that what they are bound to is still there. */
import type { CryptoKey, JWTPayload } from 'jose';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import type { ObjectReader } from '../kinds/kind.js';
import { unauthorized } from '../machinery/api-error.js';
import type { KubeObject } from '../machinery/object.js';
import type { TokenAuthenticator, TokenUser } from './bearer.js';
import { serviceAccountGroups, serviceAccountUsername } from './service-account.js';
import type { KubernetesClaim, NamedUid } from './token-issuer.js';
import type { TokenKeys } from './token-keys.js';

export interface ServiceAccountTokensOptions {
  readonly keys: TokenKeys;
  readonly issuer: string;
  readonly objects: ObjectReader;
  /** How long the sight of an account or a bound object counts, ms. Default 2000. */
  readonly objectTtlMs?: number;
  /** ms of the epoch. */
  readonly now?: () => number;
}

const VERIFIED_MAX = 4096;
/** What is being deleted may still be used for so long. */
const DELETED_GRACE_MS = 60_000;
const EXTRA = 'authentication.kubernetes.io/';

export class ServiceAccountTokens implements TokenAuthenticator {
  readonly #options: ServiceAccountTokensOptions;
  readonly #now: () => number;
  readonly #objectTtlMs: number;
  /** Payloads of tokens whose signature was good: the costly part. Oldest first. */
  readonly #verified = new Map<string, JWTPayload>();
  readonly #seen = new Map<string, { readonly until: number; readonly object: KubeObject }>();

  constructor(options: ServiceAccountTokensOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#objectTtlMs = options.objectTtlMs ?? 2000;
  }

  async token(token: string, audiences: readonly string[]): Promise<TokenUser | null> {
    if (claimedIssuer(token) !== this.#options.issuer) return null;
    const payload = this.#verified.get(token) ?? (await this.#verify(token));
    const seconds = this.#now() / 1000;
    if ((payload.exp ?? 0) <= seconds || (payload.nbf ?? 0) > seconds + 60) throw unauthorized();
    const good = audiences.filter((audience) => [payload.aud ?? []].flat().includes(audience));
    if (good.length === 0) throw unauthorized();
    return { user: await this.#userOf(payload), audiences: good };
  }

  async #verify(token: string): Promise<JWTPayload> {
    for (const { key, alg } of this.#options.keys.candidates(kidOf(token))) {
      const payload = await verified(token, key, alg);
      if (payload === null) continue;
      if (this.#verified.size >= VERIFIED_MAX) this.#verified.delete(this.#verified.keys().next().value!);
      this.#verified.set(token, payload);
      return payload;
    }
    throw unauthorized();
  }

  async #userOf(payload: JWTPayload) {
    const claim = payload['kubernetes.io'] as KubernetesClaim | undefined;
    if (claim?.serviceaccount === undefined) throw unauthorized();
    const { namespace, serviceaccount, pod, secret, node } = claim;
    const username = serviceAccountUsername({ namespace, name: serviceaccount.name });
    if (payload.sub !== username) throw unauthorized();
    await this.#mustStand('serviceaccounts', namespace, serviceaccount);
    if (pod !== undefined) await this.#mustStand('pods', namespace, pod);
    if (secret !== undefined) await this.#mustStand('secrets', namespace, secret);
    // Of a pod the node is told, not bound: the pod moves with nobody, and goes when its node does.
    if (node !== undefined && pod === undefined) await this.#mustStand('nodes', '', node);
    const extra: Record<string, readonly string[]> = {};
    if (payload.jti !== undefined) extra[`${EXTRA}credential-id`] = [`JTI=${payload.jti}`];
    for (const [key, object] of [['pod', pod] as const, ['node', node] as const]) {
      if (object === undefined) continue;
      extra[`${EXTRA}${key}-name`] = [object.name];
      extra[`${EXTRA}${key}-uid`] = [object.uid];
    }
    return { username, uid: serviceaccount.uid, groups: serviceAccountGroups(namespace), extra };
  }

  async #mustStand(plural: string, namespace: string, { name, uid }: NamedUid): Promise<void> {
    const object = await this.#look(plural, namespace, name, uid);
    if (object === null || object.metadata.uid !== uid) throw unauthorized();
    const { deletionTimestamp } = object.metadata;
    if (deletionTimestamp !== undefined && Date.parse(deletionTimestamp) + DELETED_GRACE_MS < this.#now()) {
      throw unauthorized();
    }
  }

  /** One that is missing or another is looked up each time: it may come at any moment. */
  async #look(plural: string, namespace: string, name: string, uid: string): Promise<KubeObject | null> {
    const key = `${plural}/${namespace}/${name}`;
    const now = this.#now();
    const seen = this.#seen.get(key);
    if (seen !== undefined && seen.until > now && seen.object.metadata.uid === uid) return seen.object;
    this.#seen.delete(key);
    const object = await this.#options.objects.get('', plural, namespace, name);
    if (object === null) return null;
    if (this.#seen.size >= VERIFIED_MAX) this.#seen.clear();
    this.#seen.set(key, { until: now + this.#objectTtlMs, object });
    return object;
  }
}

/** Without checking anything: tells tokens of ours from those of others. */
function claimedIssuer(token: string): string | undefined {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  try {
    const payload: unknown = JSON.parse(Buffer.from(parts[1]!, 'base64url').toString('utf8'));
    return (payload as { iss?: string } | null)?.iss;
  } catch {
    return undefined;
  }
}

function kidOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).kid;
  } catch {
    throw unauthorized();
  }
}

async function verified(token: string, key: CryptoKey, alg: string): Promise<JWTPayload | null> {
  try {
    // Times are ours to check, at each use: the payload outlives this call.
    const { payload } = await jwtVerify(token, key, {
      algorithms: [alg],
      currentDate: new Date(0),
      clockTolerance: 1e12,
    });
    return payload;
  } catch {
    return null;
  }
}
