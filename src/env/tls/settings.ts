import type { SecureVersion } from 'node:tls';

/** What every listener of a member shares: --cipher-suites, --tls-min-version, --tls-max-version. */
export interface TlsVersions {
  /** OpenSSL's list of ciphers for TLS 1.2; '' for Node's own. */
  readonly ciphers: string;
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
}

/** One side's TLS, for clients or for peers: etcd's transport security. '' and empty lists: not given. */
export interface TlsSettings extends TlsVersions {
  /** PEM; the certificate may be followed by those that lead to the authority. */
  readonly certFile: string;
  readonly keyFile: string;
  /** What a peer shows as it dials; default the pair above. */
  readonly clientCertFile: string;
  readonly clientKeyFile: string;
  /** PEM, one or more authorities. With it, or with `clientCertAuth`, who connects must show a certificate of theirs. */
  readonly trustedCaFile: string;
  /** A certificate is asked for; without `trustedCaFile` the authorities that Node knows are trusted. */
  readonly clientCertAuth: boolean;
  /** DER or PEM: certificates that are refused. */
  readonly crlFile: string;
  /** Common names, one of which the other side's certificate must have. Not together with `allowedHostnames`. */
  readonly allowedCns: readonly string[];
  /** Host names or addresses, for one of which the other side's certificate must be good. */
  readonly allowedHostnames: readonly string[];
  /** Do not compare the names in the certificate of a peer that dials with where it dials from. */
  readonly skipClientSanVerification: boolean;
  /** Made by ourselves: other members' cannot be verified. */
  readonly selfSigned: boolean;
}

export const tlsDefaults: TlsSettings = {
  certFile: '',
  keyFile: '',
  clientCertFile: '',
  clientKeyFile: '',
  trustedCaFile: '',
  clientCertAuth: false,
  crlFile: '',
  allowedCns: [],
  allowedHostnames: [],
  skipClientSanVerification: false,
  selfSigned: false,
  ciphers: '',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
};

/** A configuration of TLS that cannot work. The words are etcd's. */
export class TlsError extends Error {
  override readonly name = 'TlsError';
  readonly code = 'ERR_TLS_CONFIG';
}

/** @throws TlsError */
export function checkSettings({ certFile, keyFile, allowedCns, allowedHostnames }: TlsSettings): void {
  if ((certFile === '') !== (keyFile === '')) {
    throw new TlsError(`KeyFile and CertFile must both be present[key: ${keyFile}, cert: ${certFile}]`);
  }
  if (allowedCns.length > 0 && allowedHostnames.length > 0) {
    const list = (names: readonly string[]): string => `[${names.map((name) => JSON.stringify(name)).join(' ')}]`;
    throw new TlsError(
      `AllowedCNs and AllowedHostnames are mutually exclusive (cns=${list(allowedCns)}, hostnames=${list(allowedHostnames)})`,
    );
  }
}

/** Whoever connects must show a certificate. */
export function asksForCertificate({ trustedCaFile, clientCertAuth }: TlsSettings): boolean {
  return trustedCaFile !== '' || clientCertAuth;
}
