import { X509Certificate } from 'node:crypto';
import { promises as dns } from 'node:dns';
import { isIP } from 'node:net';
import type { DetailedPeerCertificate, PeerCertificate } from 'node:tls';
import { plainSerial } from './revocation.js';
import type { TlsSettings } from './settings.js';

const NOT_ALLOWED = 'client certificate authentication failed';

/** Whether a verified certificate is one of those that are let in; null, or why not. */
export function checkAllowed(settings: TlsSettings, cert: PeerCertificate): string | null {
  const { allowedCns, allowedHostnames } = settings;
  if (allowedCns.length > 0) return allowedCns.includes(commonName(cert)) ? null : NOT_ALLOWED;
  if (allowedHostnames.length === 0) return null;
  const leaf = new X509Certificate(cert.raw);
  return allowedHostnames.some((host) => isGoodFor(leaf, host)) ? null : NOT_ALLOWED;
}

/** As Go has it, the last of several. '' for none. */
export function commonName(cert: PeerCertificate): string {
  const name: string | string[] | undefined = cert.subject?.CN;
  return (Array.isArray(name) ? name.at(-1) : name) ?? '';
}

/** null, or why it is refused: a certificate of the chain is on the list. */
export function checkRevoked(revoked: ReadonlySet<string>, cert: DetailedPeerCertificate): string | null {
  for (let at: DetailedPeerCertificate | undefined = cert; at?.serialNumber !== undefined; at = at.issuerCertificate) {
    const serial = plainSerial(at.serialNumber);
    if (revoked.has(serial)) {
      const hex = serial.toLowerCase();
      return `transport: certificate serial ${hex.length % 2 === 0 ? hex : `0${hex}`} revoked`;
    }
    // The root is its own issuer.
    if (at.issuerCertificate === at) break;
  }
  return null;
}

/**
 * A peer's certificate that names addresses or hosts must name the one it comes from (etcd operations §4).
 * @returns null, or why it is refused
 */
export async function checkOrigin(cert: PeerCertificate, remote: string): Promise<string | null> {
  const leaf = new X509Certificate(cert.raw);
  const { addresses, names } = altNames(leaf);
  if (addresses.length > 0) {
    if (leaf.checkIP(remote) !== undefined) return null;
    if (names.length === 0) return `x509: certificate is valid for ${addresses.join(', ')}, not ${remote}`;
  }
  if (names.length === 0 || (await isHostOf(remote, names))) return null;
  return `tls: ${JSON.stringify(remote)} does not match any of DNSNames [${names.map((name) => JSON.stringify(name)).join(' ')}]`;
}

/** subjectAltName, its addresses and its host names. */
export function altNames(leaf: X509Certificate): { addresses: string[]; names: string[] } {
  const addresses: string[] = [];
  const names: string[] = [];
  for (const part of (leaf.subjectAltName ?? '').split(', ')) {
    if (part.startsWith('IP Address:')) addresses.push(part.slice('IP Address:'.length));
    else if (part.startsWith('DNS:')) names.push(part.slice('DNS:'.length));
  }
  return { addresses, names };
}

function isGoodFor(leaf: X509Certificate, host: string): boolean {
  if (isIP(host) !== 0) return leaf.checkIP(host) !== undefined;
  return leaf.checkHost(host, { subject: 'never' }) !== undefined;
}

/** By the address' names, and by the names' addresses. */
async function isHostOf(address: string, names: readonly string[]): Promise<boolean> {
  const exact = names.filter((name) => !name.startsWith('*.'));
  const endings = names.filter((name) => name.startsWith('*.')).map((name) => name.slice(1));
  const called = await dns.reverse(address).catch(() => [] as string[]);
  for (const name of called) {
    const plain = name.replace(/\.$/, '');
    if (exact.includes(plain) || endings.some((ending) => plain.endsWith(ending))) return true;
  }
  for (const name of exact) {
    const found = await dns.lookup(name, { all: true }).catch(() => []);
    if (found.some((one) => one.address === address)) return true;
  }
  return false;
}
