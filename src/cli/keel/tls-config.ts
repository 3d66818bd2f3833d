import type { TlsOptions } from '../../index.js';
import { TlsError, tlsVersions } from '../../index.js';
import { byEitherName } from './feature-gates.js';
import type { Parsed } from './flag-set.js';
import { FlagError } from './flag-set.js';

/** TLS of both sides from the flags. @throws FlagError with etcd's words */
export function tlsOptions(parsed: Parsed): { clientTls: TlsOptions; peerTls: TlsOptions } {
  const text = (name: string): string => parsed.values.get(name) as string;
  const list = (name: string): string[] =>
    text(name)
      .split(',')
      .filter((part) => part !== '');
  const is = (name: string): boolean => parsed.values.get(name) as boolean;
  try {
    const versions = tlsVersions(list('cipher-suites'), text('tls-min-version'), text('tls-max-version'));
    const autoYears = parsed.values.get('self-signed-cert-validity') as number;
    return {
      clientTls: {
        ...versions,
        certFile: text('cert-file'),
        keyFile: text('key-file'),
        trustedCaFile: text('trusted-ca-file'),
        clientCertAuth: is('client-cert-auth'),
        crlFile: text('client-crl-file'),
        allowedCns: list('client-cert-allowed-cn'),
        allowedHostnames: list('client-cert-allowed-hostname'),
        auto: is('auto-tls'),
        autoYears,
      },
      peerTls: {
        ...versions,
        certFile: text('peer-cert-file'),
        keyFile: text('peer-key-file'),
        clientCertFile: text('peer-client-cert-file'),
        clientKeyFile: text('peer-client-key-file'),
        trustedCaFile: text('peer-trusted-ca-file'),
        clientCertAuth: is('peer-client-cert-auth'),
        crlFile: text('peer-crl-file'),
        allowedCns: list('peer-cert-allowed-cn'),
        allowedHostnames: list('peer-cert-allowed-hostname'),
        skipClientSanVerification: byEitherName(parsed, 'peer-skip-client-san-verification') as boolean,
        auto: is('peer-auto-tls'),
        autoYears,
      },
    };
  } catch (err) {
    if (err instanceof TlsError) throw new FlagError(err.message);
    throw err;
  }
}
