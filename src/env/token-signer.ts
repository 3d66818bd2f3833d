import type { KeyObject } from 'node:crypto';
import { constants, createHmac, createPrivateKey, createPublicKey, sign, timingSafeEqual, verify } from 'node:crypto';
import type { TokenSigner } from '../util/env.js';

const CURVES: Readonly<Record<string, string>> = { ES256: 'prime256v1', ES384: 'secp384r1', ES512: 'secp521r1' };

/**
 * Signs and verifies JSON web tokens (RFC 7518, RFC 8037) with keys in PEM, or a secret for HS*.
 * @param publicKey null: taken from the private one
 * @param privateKey null: this member only verifies
 * @throws Error for a key that cannot be read, is of another kind than the method, or does not match the other
 */
export function makeTokenSigner(method: string, publicKey: Buffer | null, privateKey: Buffer | null): TokenSigner {
  const signer = method.startsWith('HS')
    ? hmacSigner(method, privateKey)
    : keySigner(method, publicKey === null ? null : createPublicKey(publicKey), privateKey);
  const trial = Buffer.from('do the keys match?');
  const signature = signer.sign(trial);
  if (signature !== null && !signer.verify(trial, signature))
    throw new Error('the public and private keys do not match');
  return signer;
}

function hmacSigner(method: string, secret: Buffer | null): TokenSigner {
  if (secret === null || secret.length === 0) throw new Error(`${method} needs a secret`);
  const mac = (input: Buffer): Buffer =>
    createHmac(`sha${method.slice(2)}`, secret)
      .update(input)
      .digest();
  return {
    method,
    sign: mac,
    verify: (input, signature) => {
      const expected = mac(input);
      return expected.length === signature.length && timingSafeEqual(expected, signature);
    },
  };
}

function keySigner(method: string, given: KeyObject | null, privatePem: Buffer | null): TokenSigner {
  const priv = privatePem === null ? null : createPrivateKey(privatePem);
  const pub = given ?? createPublicKey(priv as KeyObject);
  for (const key of [pub, priv]) if (key !== null) mustFit(method, key);
  const digest = method === 'EdDSA' ? null : `sha${method.slice(2)}`;
  const options = {
    ...(method.startsWith('ES') ? { dsaEncoding: 'ieee-p1363' as const } : {}),
    ...(method.startsWith('PS')
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO }
      : {}),
  };
  // With AUTO a signer would take the longest salt; the RFC asks for the digest's length.
  const signing = method.startsWith('PS') ? { ...options, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : options;
  return {
    method,
    sign: (input) => (priv === null ? null : sign(digest, input, { key: priv, ...signing })),
    verify: (input, signature) => verify(digest, input, { key: pub, ...options }, signature),
  };
}

function mustFit(method: string, key: KeyObject): void {
  const type = key.asymmetricKeyType;
  const fits =
    method === 'EdDSA'
      ? type === 'ed25519'
      : method.startsWith('ES')
        ? type === 'ec' && key.asymmetricKeyDetails?.namedCurve === CURVES[method]
        : type === 'rsa' || (method.startsWith('PS') && type === 'rsa-pss');
  if (!fits) throw new Error(`the key is no key for ${method}`);
}
