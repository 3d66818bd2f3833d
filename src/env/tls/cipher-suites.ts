import type { SecureVersion } from 'node:tls';
import { getCiphers } from 'node:tls';
import type { TlsVersions } from './settings.js';
import { TlsError } from './settings.js';

/** Go's names of cipher suites, which are the IANA's, as OpenSSL calls them. */
const SUITES: Readonly<Record<string, string>> = {
  TLS_RSA_WITH_AES_128_CBC_SHA: 'AES128-SHA',
  TLS_RSA_WITH_AES_256_CBC_SHA: 'AES256-SHA',
  TLS_RSA_WITH_AES_128_CBC_SHA256: 'AES128-SHA256',
  TLS_RSA_WITH_AES_128_GCM_SHA256: 'AES128-GCM-SHA256',
  TLS_RSA_WITH_AES_256_GCM_SHA384: 'AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: 'ECDHE-ECDSA-AES128-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: 'ECDHE-RSA-AES128-SHA256',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  // Known to Go, and gone from OpenSSL: taken, and never agreed on.
  TLS_RSA_WITH_RC4_128_SHA: '',
  TLS_RSA_WITH_3DES_EDE_CBC_SHA: '',
  TLS_ECDHE_ECDSA_WITH_RC4_128_SHA: '',
  TLS_ECDHE_RSA_WITH_RC4_128_SHA: '',
  TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA: '',
  // TLS 1.3 has these three whatever is listed, with Go as with OpenSSL.
  TLS_AES_128_GCM_SHA256: '',
  TLS_AES_256_GCM_SHA384: '',
  TLS_CHACHA20_POLY1305_SHA256: '',
};

const VERSIONS: Readonly<Record<string, SecureVersion>> = { 'TLS1.2': 'TLSv1.2', 'TLS1.3': 'TLSv1.3' };

/**
 * @param suites --cipher-suites, Go's names; empty: Node's own
 * @param min, max 'TLS1.2', 'TLS1.3' or ''
 * @throws TlsError with etcd's words
 */
export function tlsVersions(suites: readonly string[], min: string, max: string): TlsVersions {
  const minVersion = version(min) ?? 'TLSv1.2';
  const maxVersion = version(max) ?? 'TLSv1.3';
  if (minVersion > maxVersion) throw new TlsError(`min version (${min}) is greater than max version (${max})`);
  if (suites.length > 0 && minVersion === 'TLSv1.3') {
    throw new TlsError('cipher suites cannot be configured when only TLS1.3 is enabled');
  }
  return { ciphers: cipherList(suites), minVersion, maxVersion };
}

function version(name: string): SecureVersion | undefined {
  if (name === '') return undefined;
  const known = VERSIONS[name];
  if (known === undefined)
    throw new TlsError(`unexpected TLS version ${JSON.stringify(name)} (must be one of: TLS1.2, TLS1.3)`);
  return known;
}

function cipherList(suites: readonly string[]): string {
  if (suites.length === 0) return '';
  const there = new Set(getCiphers());
  const list: string[] = [];
  for (const suite of suites) {
    if (!Object.hasOwn(SUITES, suite)) throw new TlsError(`unexpected TLS cipher suite ${JSON.stringify(suite)}`);
    const name = SUITES[suite] as string;
    if (name !== '' && there.has(name.toLowerCase())) list.push(name);
  }
  // What TLS 1.3 may use has to stand in Node's list beside the rest.
  const tls13 = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];
  return [...tls13, ...list].join(':');
}
