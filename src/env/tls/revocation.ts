import { readAll, readElement, Tag } from './der.js';

/** What may follow where nobody is revoked. */
const EXTENSIONS = 0xa0;
const PEM = /-----BEGIN X509 CRL-----([^-]+)-----END X509 CRL-----/;

/**
 * Serial numbers (upper-case hex without leading zeros, as node:crypto has them) of a certificate revocation list
 * (RFC 5280 section 5), DER or PEM. As in etcd, neither its signature nor its age is looked at: the file is the
 * operator's own.
 * @throws Error for what is no such list
 */
export function revokedSerials(file: Buffer): ReadonlySet<string> {
  const text = PEM.exec(file.toString('latin1'));
  const bytes = text === null ? file : Buffer.from(text[1] as string, 'base64');
  const list = readElement(bytes, 0);
  const tbs = list.tag === Tag.SEQUENCE ? readAll(list.body)[0] : undefined;
  if (tbs?.tag !== Tag.SEQUENCE) throw new Error('x509: malformed crl');
  const fields = readAll(tbs.body);
  let i = 0;
  // version, if there is one; algorithm, issuer, thisUpdate, nextUpdate if there is one
  if (fields[i]?.tag === Tag.INTEGER) i++;
  i += 2;
  while (fields[i]?.tag === Tag.UTC_TIME || fields[i]?.tag === Tag.GENERALIZED_TIME) i++;
  const entries = fields[i];
  const serials = new Set<string>();
  if (entries === undefined || entries.tag === EXTENSIONS) return serials;
  if (entries.tag !== Tag.SEQUENCE) throw new Error('x509: malformed crl');
  for (const entry of readAll(entries.body)) {
    const serial = readAll(entry.body)[0];
    if (serial?.tag !== Tag.INTEGER) throw new Error('x509: malformed crl');
    serials.add(plainSerial(serial.body.toString('hex')));
  }
  return serials;
}

export function plainSerial(hex: string): string {
  return hex.replace(/^0+(?=.)/, '').toUpperCase();
}
