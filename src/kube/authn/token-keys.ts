/** The keys that service-account tokens are signed and checked with. */
import type { KeyObject } from 'node:crypto';
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { CryptoKey, JWK, JWTPayload } from 'jose';
import { exportJWK, importPKCS8, importSPKI, SignJWT } from 'jose';

interface PublicTokenKey {
  readonly kid: string;
  readonly alg: 'ES256' | 'RS256';
  readonly key: CryptoKey;
}

/** A new key for ES256, as PEM (PKCS #8). Whoever starts the server keeps it: with another, all tokens are void. */
export function newTokenKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}

export class TokenKeys {
  readonly #signing: CryptoKey;
  /** The first belongs to the signing key. */
  readonly #public: readonly PublicTokenKey[];

  private constructor(signing: CryptoKey, publicKeys: readonly PublicTokenKey[]) {
    this.#signing = signing;
    this.#public = publicKeys;
  }

  /**
   * @param signing PEM of a private key: elliptic (P-256) or RSA
   * @param older PEMs, private or public, whose tokens are still good
   */
  static async of(signing: string, older: readonly string[] = []): Promise<TokenKeys> {
    const own = createPrivateKey(signing);
    const pkcs8 = own.export({ type: 'pkcs8', format: 'pem' }) as string;
    const publicKeys = [createPublicKey(own), ...older.map((pem) => createPublicKey(pem))];
    return new TokenKeys(await importPKCS8(pkcs8, algorithmOf(own)), await Promise.all(publicKeys.map(publicKeyOf)));
  }

  sign(payload: JWTPayload): Promise<string> {
    const { alg, kid } = this.#public[0]!;
    return new SignJWT(payload).setProtectedHeader({ alg, kid }).sign(this.#signing);
  }

  /** Keys that may have signed a token with this `kid`. */
  candidates(kid: string | undefined): readonly PublicTokenKey[] {
    const named = this.#public.filter((key) => key.kid === kid);
    return named.length > 0 ? named : kid === undefined ? this.#public : [];
  }

  /** What `/openid/v1/jwks` answers (RFC 7517). */
  async jwks(): Promise<{ keys: JWK[] }> {
    const keys = this.#public.map(async ({ key, kid, alg }) => ({ use: 'sig', kid, alg, ...(await exportJWK(key)) }));
    return { keys: await Promise.all(keys) };
  }

  /** Of the signing key, as discovery documents name it. */
  get algorithm(): string {
    return this.#public[0]!.alg;
  }
}

function algorithmOf(key: KeyObject): 'ES256' | 'RS256' {
  if (key.asymmetricKeyType === 'rsa') return 'RS256';
  if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return 'ES256';
  throw new TypeError('a key for service-account tokens is RSA or an elliptic one on P-256');
}

async function publicKeyOf(key: KeyObject): Promise<PublicTokenKey> {
  const alg = algorithmOf(key);
  const kid = createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
  return { kid, alg, key: await importSPKI(key.export({ type: 'spki', format: 'pem' }) as string, alg) };
}
