import type { KeyObject } from 'node:crypto';
import { createHash, createPublicKey, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { bitString, der, explicit, integer, oid, pem, readAll, sequence, Tag, time, utf8 } from './der.js';

export interface CertificateSpec {
  readonly commonName?: string;
  readonly organization?: string;
  /** Names and IP addresses (subjectAltName). */
  readonly hosts?: readonly string[];
  /** Who signs. Default: the certificate's own key. */
  readonly issuer?: KeyAndCertificate;
  /** It may sign others. */
  readonly isCa?: boolean;
  /** Default: for servers and clients. */
  readonly usages?: readonly ('server' | 'client')[];
  /** ms of the epoch. Default: from now on, for a year. */
  readonly notBefore?: number;
  readonly notAfter?: number;
  /** Of the key: an elliptic curve. Default P-256. */
  readonly curve?: 'P-256' | 'P-384' | 'P-521';
}

/** PEM, both; the key as SEC 1 (`EC PRIVATE KEY`), which is how Go writes it. */
export interface KeyAndCertificate {
  readonly cert: string;
  readonly key: string;
}

const YEAR_MS = 365 * 24 * 3_600_000;
const OID = {
  commonName: oid('2.5.4.3'),
  organization: oid('2.5.4.10'),
  ecdsaWithSha256: oid('1.2.840.10045.4.3.2'),
  subjectKeyId: oid('2.5.29.14'),
  keyUsage: oid('2.5.29.15'),
  subjectAltName: oid('2.5.29.17'),
  basicConstraints: oid('2.5.29.19'),
  authorityKeyId: oid('2.5.29.35'),
  extKeyUsage: oid('2.5.29.37'),
  server: oid('1.3.6.1.5.5.7.3.1'),
  client: oid('1.3.6.1.5.5.7.3.2'),
};
const TRUE = der(Tag.BOOLEAN, Buffer.from([0xff]));
const VERSION_3 = explicit(0, integer(Buffer.from([2])));

/** A new key, and an X.509 certificate (RFC 5280) for it. */
export function makeCertificate(spec: CertificateSpec): KeyAndCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: spec.curve ?? 'P-256' });
  const { issuer } = spec;
  const subject = name(spec);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const notBefore = spec.notBefore ?? Date.now();
  const tbs = sequence(
    VERSION_3,
    integer(Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    sequence(OID.ecdsaWithSha256),
    issuer === undefined ? subject : subjectOf(issuer.cert),
    sequence(time(notBefore), time(spec.notAfter ?? notBefore + YEAR_MS)),
    subject,
    spki,
    explicit(3, sequence(...extensions(spec, spki))),
  );
  return {
    cert: pem('CERTIFICATE', signed(tbs, issuer === undefined ? privateKey : issuer.key)),
    key: privateKey.export({ type: 'sec1', format: 'pem' }) as string,
  };
}

/** What is signed, the algorithm and the signature, as certificates and revocation lists have it. */
export function signed(tbs: Buffer, key: KeyObject | string): Buffer {
  return sequence(tbs, sequence(OID.ecdsaWithSha256), bitString(sign('sha256', tbs, key)));
}

/** The DER of a certificate's subject. */
export function subjectOf(cert: string): Buffer {
  const [tbs] = readAll(readAll(new X509Certificate(cert).raw)[0]!.body);
  const fields = readAll(tbs!.body);
  // version, serial, algorithm, issuer, validity, subject
  const subject = fields[5]!;
  return der(subject.tag, subject.body);
}

function name({ commonName, organization }: CertificateSpec): Buffer {
  const parts: Buffer[] = [];
  if (organization !== undefined) parts.push(der(Tag.SET, sequence(OID.organization, utf8(organization))));
  if (commonName !== undefined) parts.push(der(Tag.SET, sequence(OID.commonName, utf8(commonName))));
  return sequence(...parts);
}

function extensions(spec: CertificateSpec, spki: Buffer): Buffer[] {
  const list: Buffer[] = [];
  const add = (id: Buffer, value: Buffer, critical = false): void => {
    list.push(sequence(id, ...(critical ? [TRUE] : []), der(Tag.OCTET_STRING, value)));
  };
  // digitalSignature and keyEncipherment, or keyCertSign and cRLSign.
  add(OID.keyUsage, spec.isCa ? bitString(Buffer.from([0x06]), 1) : bitString(Buffer.from([0xa0]), 5), true);
  if (!spec.isCa) add(OID.extKeyUsage, sequence(...(spec.usages ?? ['server', 'client']).map((usage) => OID[usage])));
  add(OID.basicConstraints, spec.isCa ? sequence(TRUE) : sequence(), true);
  add(OID.subjectKeyId, der(Tag.OCTET_STRING, keyId(spki)));
  if (spec.issuer !== undefined) {
    const key = createPublicKey(spec.issuer.cert).export({ type: 'spki', format: 'der' });
    add(OID.authorityKeyId, sequence(der(0x80, keyId(key))));
  }
  const hosts = spec.hosts ?? [];
  if (hosts.length > 0) add(OID.subjectAltName, sequence(...hosts.map(generalName)));
  return list;
}

/** SHA-1 of the public key's bits (RFC 5280 section 4.2.1.2). */
function keyId(spki: Buffer): Buffer {
  const bits = readAll(readAll(spki)[0]!.body)[1]!.body.subarray(1);
  return createHash('sha1').update(bits).digest();
}

function generalName(host: string): Buffer {
  switch (isIP(host)) {
    case 4:
      return der(0x87, Buffer.from(host.split('.').map(Number)));
    case 6:
      return der(0x87, ipv6(host));
    default:
      return der(0x82, Buffer.from(host, 'latin1'));
  }
}

function ipv6(host: string): Buffer {
  const [head = '', tail] = host.replace(/%.*$/, '').split('::');
  const groups = (text: string): number[] =>
    text.split(':').flatMap((group) => {
      if (!group.includes('.')) return group === '' ? [] : [Number.parseInt(group, 16)];
      const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
      return [(a << 8) | b, (c << 8) | d];
    });
  const first = groups(head);
  const last = groups(tail ?? '');
  const all = [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}
