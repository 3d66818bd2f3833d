/** Users by the certificate of their TLS connection: themselves, or through a proxy that we trust. */
import { X509Certificate } from 'node:crypto';
import { unauthorized } from '../machinery/api-error.js';
import type { UserInfo } from '../machinery/request.js';
import type { Authenticator, CertificateAuthority, Credentials, PeerCertificate } from './authenticator.js';
import { firstOf, prefixed, valuesOf } from './headers.js';

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

export interface AuthoritiesOptions {
  /** PEM, one certificate or several: those who sign certificates of users. */
  readonly client: string;
  /** Likewise: those who sign certificates of proxies. */
  readonly frontProxy?: string;
}

/**
 * Tells what a peer's certificate says and who vouches for it. The TLS server asks for certificates without refusing
 * unknown ones (`requestCert: true, rejectUnauthorized: false`), since the answer to those is a 401 with a body.
 */
export class CertificateAuthorities {
  readonly #authorities: readonly { readonly name: CertificateAuthority; readonly ca: X509Certificate }[];
  readonly #now: () => number;

  constructor(options: AuthoritiesOptions, now: () => number = Date.now) {
    this.#now = now;
    this.#authorities = [
      ...bundle(options.client).map((ca) => ({ name: 'client' as const, ca })),
      ...bundle(options.frontProxy ?? '').map((ca) => ({ name: 'front-proxy' as const, ca })),
    ];
  }

  /** Costs a signature check: once a connection is enough. */
  identify(certificate: X509Certificate): PeerCertificate {
    const { subject } = certificate.toLegacyObject() as unknown as {
      subject?: Record<string, string | string[] | undefined>;
    };
    const all = (name: string) => [subject?.[name] ?? []].flat();
    return { commonName: all('CN')[0] ?? '', organizations: all('O'), authority: this.#authorityOf(certificate) };
  }

  #authorityOf(certificate: X509Certificate): CertificateAuthority {
    const now = this.#now();
    if (now < Date.parse(certificate.validFrom) || now > Date.parse(certificate.validTo)) return 'none';
    const usages: readonly string[] | undefined = certificate.keyUsage;
    if (usages !== undefined && !usages.includes(CLIENT_AUTH)) return 'none';
    const issuer = this.#authorities.find(({ ca }) => certificate.checkIssued(ca) && certificate.verify(ca.publicKey));
    return issuer?.name ?? 'none';
  }
}

function bundle(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

/** The common name is the user, every organization a group. */
export class ClientCertificateAuthenticator implements Authenticator {
  async authenticate({ certificate }: Credentials): Promise<UserInfo | null> {
    if (certificate === null) return null;
    if ((certificate.authority ?? 'client') !== 'client') throw unauthorized();
    if (certificate.commonName === '') return null;
    return { username: certificate.commonName, uid: '', groups: [...certificate.organizations], extra: {} };
  }
}

/** Believes the X-Remote headers of a proxy whose certificate is signed by the proxies' authority. */
export class FrontProxyAuthenticator implements Authenticator {
  readonly #allowedNames: readonly string[];

  /** @param allowedNames common names of proxies; empty for any */
  constructor(allowedNames: readonly string[]) {
    this.#allowedNames = allowedNames;
  }

  async authenticate({ headers, certificate }: Credentials): Promise<UserInfo | null> {
    if (certificate?.authority !== 'front-proxy') return null;
    if (this.#allowedNames.length > 0 && !this.#allowedNames.includes(certificate.commonName)) throw unauthorized();
    const username = firstOf(headers, 'x-remote-user');
    if (username === '') return null;
    return {
      username,
      uid: firstOf(headers, 'x-remote-uid'),
      groups: [...valuesOf(headers, 'x-remote-group')],
      extra: prefixed(headers, 'x-remote-extra-'),
    };
  }
}
