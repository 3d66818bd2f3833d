/**
 * The keys and certificates of one control plane, in a folder: made once, kept, and made anew where they no longer fit.
 * Names of the files are those of kubeadm.
 */
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { newTokenKey } from '../authn/index.js';

/** PEM, both. */
export interface KeyAndCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Who makes certificates is handed down: this room knows no X.509 writer. */
export type CertificateMaker = (spec: {
  readonly commonName?: string;
  readonly organization?: string;
  readonly hosts?: readonly string[];
  readonly issuer?: KeyAndCertificate;
  readonly isCa?: boolean;
  readonly usages?: readonly ('server' | 'client')[];
  readonly notBefore?: number;
  readonly notAfter?: number;
}) => KeyAndCertificate;

export interface Pki {
  /** Signs servers and clients. */
  readonly ca: KeyAndCertificate;
  readonly server: KeyAndCertificate;
  /** A client of group system:masters. */
  readonly admin: KeyAndCertificate;
  /** Signs proxies whose X-Remote headers are believed. */
  readonly frontProxyCa: KeyAndCertificate;
  readonly frontProxyClient: KeyAndCertificate;
  /** PEM of the private key that signs service-account tokens. */
  readonly tokenKey: string;
}

const DAY_MS = 24 * 3_600_000;
const CA_DAYS = 3650;
const LEAF_DAYS = 365;
/** A certificate that ends sooner than this is made anew at a start. */
const RENEW_DAYS = 30;
/** Clocks of clients may be behind. */
const BACKDATE_MS = 3_600_000;

export interface PkiOptions {
  readonly dir: string;
  /** Names and addresses that the server is asked by. */
  readonly hosts: readonly string[];
  readonly make: CertificateMaker;
  /** ms of the epoch. */
  readonly now: number;
}

/** @throws what the file system says */
export function openPki(options: PkiOptions): Pki {
  mkdirSync(options.dir, { recursive: true, mode: 0o700 });
  const { now } = options;
  const validity = (days: number) => ({ notBefore: now - BACKDATE_MS, notAfter: now + days * DAY_MS });
  const ca = kept(options, 'ca', null, [], () => ({ commonName: 'keel-ca', isCa: true, ...validity(CA_DAYS) }));
  const frontProxyCa = kept(options, 'front-proxy-ca', null, [], () => ({
    commonName: 'keel-front-proxy-ca',
    isCa: true,
    ...validity(CA_DAYS),
  }));
  return {
    ca,
    frontProxyCa,
    server: kept(options, 'apiserver', ca, options.hosts, () => ({
      commonName: 'kube-apiserver',
      hosts: options.hosts,
      issuer: ca,
      usages: ['server'],
      ...validity(LEAF_DAYS),
    })),
    admin: kept(options, 'admin', ca, [], () => ({
      commonName: 'kubernetes-admin',
      organization: 'system:masters',
      issuer: ca,
      usages: ['client'],
      ...validity(LEAF_DAYS),
    })),
    frontProxyClient: kept(options, 'front-proxy-client', frontProxyCa, [], () => ({
      commonName: 'front-proxy-client',
      issuer: frontProxyCa,
      usages: ['client'],
      ...validity(LEAF_DAYS),
    })),
    tokenKey: keptTokenKey(options.dir),
  };
}

function kept(
  { dir, make, now }: PkiOptions,
  name: string,
  issuer: KeyAndCertificate | null,
  hosts: readonly string[],
  spec: () => Parameters<CertificateMaker>[0],
): KeyAndCertificate {
  const certFile = join(dir, `${name}.crt`);
  const keyFile = join(dir, `${name}.key`);
  if (existsSync(certFile) && existsSync(keyFile)) {
    const found = { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
    if (isGood(found.cert, issuer, hosts, now)) return found;
  }
  const made = make(spec());
  writeSecret(keyFile, made.key);
  writeSecret(certFile, made.cert);
  return made;
}

/** Still long enough, from the authority of now, for all names. An authority itself is never replaced. */
function isGood(cert: string, issuer: KeyAndCertificate | null, hosts: readonly string[], now: number): boolean {
  if (issuer === null) return true;
  const parsed = new X509Certificate(cert);
  if (Date.parse(parsed.validTo) - now < RENEW_DAYS * DAY_MS) return false;
  if (!parsed.verify(new X509Certificate(issuer.cert).publicKey)) return false;
  const names = (host: string) => (isIP(host) === 0 ? parsed.checkHost(host) : parsed.checkIP(host));
  return hosts.every((host) => names(host) !== undefined);
}

function keptTokenKey(dir: string): string {
  const file = join(dir, 'sa.key');
  if (existsSync(file)) return readFileSync(file, 'utf8');
  const key = newTokenKey();
  writeSecret(file, key);
  return key;
}

/** Whole or not at all, and nobody else's to read. */
export function writeSecret(file: string, text: string): void {
  const beside = `${file}.new`;
  writeFileSync(beside, text, { mode: 0o600 });
  renameSync(beside, file);
}
