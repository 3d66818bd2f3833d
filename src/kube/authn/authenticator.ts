import type { UserInfo } from '../machinery/request.js';

export interface Authenticator {
  /**
   * Null: nothing here that I recognise, ask the next one. An ApiError (401) rejects: recognised, and not valid.
   * @param headers lower-case names
   */
  authenticate(request: Credentials): Promise<UserInfo | null>;
}

/** Which of our authorities a certificate comes from; `none`: one that we do not know. */
export type CertificateAuthority = 'client' | 'front-proxy' | 'none';

export interface PeerCertificate {
  readonly commonName: string;
  readonly organizations: readonly string[];
  /** Default `client`. */
  readonly authority?: CertificateAuthority;
}

export interface Credentials {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The certificate of the TLS peer (peer-certificate.ts makes it), or null. */
  readonly certificate: PeerCertificate | null;
}
