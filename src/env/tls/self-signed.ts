import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { Logger } from '../../util/log.js';
import { makeCertificate } from './certificate.js';
import type { TlsSettings } from './settings.js';
import { TlsError } from './settings.js';

const YEAR_MS = 365 * 24 * 3_600_000;

export interface SelfSignedOptions {
  readonly dir: string;
  /** Of the listen URLs. */
  readonly hosts: readonly string[];
  /** --self-signed-cert-validity */
  readonly years: number;
  readonly log: Logger;
}

/**
 * A certificate of our own making, kept in `dir` as `cert.pem` and `key.pem`: --auto-tls and --peer-auto-tls (etcd
 * operations §4). One that is there is used as it is.
 * @throws TlsError
 */
export function selfSigned(given: TlsSettings, { dir, hosts, years, log }: SelfSignedOptions): TlsSettings {
  if (!Number.isInteger(years) || years <= 0) {
    throw new TlsError('selfSignedCertValidity is invalid,it should be greater than 0');
  }
  const certFile = join(dir, 'cert.pem');
  const keyFile = join(dir, 'key.pem');
  const settings = { ...given, certFile, keyFile, clientCertFile: certFile, clientKeyFile: keyFile, selfSigned: true };
  if (existsSync(certFile) && existsSync(keyFile)) return settings;
  const notAfter = Date.now() + years * YEAR_MS;
  log.warn('automatically generate certificates', {
    'certificate-validity-bound-not-after': new Date(notAfter).toISOString(),
  });
  const { cert, key } = makeCertificate({
    organization: 'etcd',
    hosts: [...new Set(hosts.map(bare))].filter((host) => host !== ''),
    curve: 'P-521',
    usages: ['server'],
    notAfter,
  });
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  writeFileSync(certFile, cert, { mode: 0o644 });
  log.info('created cert file', { path: certFile });
  writeFileSync(keyFile, key, { mode: 0o600 });
  log.info('created key file', { path: keyFile });
  return settings;
}

function bare(host: string): string {
  const inner = host.replace(/^\[(.*)\]$/, '$1');
  return isIPv6(inner) ? inner : host;
}
