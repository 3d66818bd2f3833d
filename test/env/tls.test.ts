import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificate } from '../../src/env/tls/certificate.js';
import { checkOrigin } from '../../src/env/tls/check.js';
import { tlsVersions } from '../../src/env/tls/cipher-suites.js';
import { revokedSerials } from '../../src/env/tls/revocation.js';
import { RevokedList } from '../../src/env/tls/revoked-list.js';
import { Watched } from '../../src/env/tls/watched.js';
import { wordsOf } from '../../src/env/tls/words.js';
import { Authority } from '../support/certificates.js';
import { check } from '../support/fc.js';

let ca: Authority;
beforeAll(() => {
  ca = Authority.make();
});
afterAll(() => ca.remove());

const x509 = (path: string): X509Certificate => new X509Certificate(readFileSync(path));

describe('a certificate of ours', () => {
  test('is signed by its issuer, for its names, for its time', () => {
    const notAfter = Date.UTC(2051, 1, 3, 4, 5, 6);
    const hosts = ['10.1.2.3', '::1', '2001:db8::1:0', '::ffff:1.2.3.4', 'a.example.com', '*.example.org'];
    const leaf = x509(ca.issue('leaf', { commonName: 'Jürgen', organization: 'o', hosts, notAfter }).cert);
    const issuer = x509(ca.caFile);
    expect(leaf.verify(issuer.publicKey)).toBe(true);
    expect(leaf.checkIssued(issuer)).toBe(true);
    expect(issuer.ca).toBe(true);
    expect(leaf.ca).toBe(false);
    expect(leaf.subject).toBe('O=o\nCN=Jürgen');
    expect(new Date(leaf.validTo).getTime()).toBe(notAfter);
    for (const ip of ['10.1.2.3', '::1', '2001:db8::1:0', '::ffff:1.2.3.4']) expect(leaf.checkIP(ip)).toBe(ip);
    expect(leaf.checkIP('10.1.2.4')).toBeUndefined();
    expect(leaf.checkHost('a.example.com')).toBe('a.example.com');
    expect(leaf.checkHost('x.example.org')).toBe('*.example.org');
  });

  test('signs itself where nobody else does', () => {
    const self = new X509Certificate(makeCertificate({ organization: 'etcd', curve: 'P-521' }).cert);
    expect(self.verify(self.publicKey)).toBe(true);
    expect(self.publicKey.asymmetricKeyDetails?.namedCurve).toBe('secp521r1');
  });
});

describe('a list of the revoked', () => {
  test('names serial numbers, as node:crypto has them', () => {
    const certs = ['a', 'b', 'c'].map((name) => readFileSync(ca.issue(name, { commonName: name }).cert, 'utf8'));
    const serials = certs.map((cert) => new X509Certificate(cert).serialNumber.replace(/^0+/, ''));
    for (const form of ['der', 'pem'] as const) {
      const list = readFileSync(ca.revoke('crl', certs.slice(0, 2), form));
      expect([...revokedSerials(list)]).toEqual(serials.slice(0, 2));
    }
    expect(revokedSerials(readFileSync(ca.revoke('crl', []))).size).toBe(0);
  });

  test('is an error where it is none, whatever the bytes', () => {
    const good = readFileSync(ca.revoke('crl', [readFileSync(ca.caFile, 'utf8')]));
    check(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
          fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => {
            const bent = Buffer.from(good);
            bent[at] = byte;
            return bent;
          }),
        ),
        (bytes) => {
          try {
            expect(revokedSerials(bytes)).toBeInstanceOf(Set);
          } catch (err) {
            expect((err as Error).message).toMatch(/^(?:asn1|x509): /);
          }
        },
      ),
    );
  });

  test('that is not there refuses everybody', () => {
    const list = new RevokedList(join(ca.dir, 'nowhere.crl'));
    expect(list.check({} as never)).toBe(`open ${join(ca.dir, 'nowhere.crl')}: no such file or directory`);
    expect(new RevokedList('').check({} as never)).toBeNull();
  });
});

describe('where a peer comes from', () => {
  const origin = (hosts: string[], remote: string): Promise<string | null> => {
    const { raw } = x509(ca.issue('peer', { commonName: 'peer', hosts }).cert);
    return checkOrigin({ raw } as never, remote);
  };

  test('counts where its certificate names addresses or hosts', async () => {
    expect(await origin([], '10.0.0.1')).toBeNull();
    expect(await origin(['10.0.0.1', '::1'], '10.0.0.1')).toBeNull();
    expect(await origin(['10.0.0.1', '::1'], '::1')).toBeNull();
    expect(await origin(['10.0.0.1', '10.0.0.2'], '10.0.0.3')).toBe(
      'x509: certificate is valid for 10.0.0.1, 10.0.0.2, not 10.0.0.3',
    );
    // Without the network's help: this name is in every table of hosts, and the other in no zone.
    expect(await origin(['localhost'], '127.0.0.1')).toBeNull();
    expect(await origin(['10.0.0.1', 'localhost'], '127.0.0.1')).toBeNull();
    expect(await origin(['nowhere.invalid'], '192.0.2.1')).toBe(
      'tls: "192.0.2.1" does not match any of DNSNames ["nowhere.invalid"]',
    );
  });
});

describe('versions and suites', () => {
  test("are Go's names", () => {
    expect(tlsVersions([], 'TLS1.2', '')).toEqual({ ciphers: '', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' });
    expect(tlsVersions([], 'TLS1.3', 'TLS1.3')).toMatchObject({ minVersion: 'TLSv1.3' });
    const suites = ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'TLS_RSA_WITH_RC4_128_SHA'];
    expect(tlsVersions(suites, '', 'TLS1.2').ciphers).toMatch(/:ECDHE-RSA-AES256-GCM-SHA384$/);
    expect(() => tlsVersions(['toString'], '', '')).toThrow('unexpected TLS cipher suite "toString"');
  });

  test("of which Node's own errors are said in Go's words", () => {
    const message = "Hostname/IP does not match certificate's altnames: ";
    const said = (text: string): string => wordsOf({ code: 'ERR_TLS_CERT_ALTNAME_INVALID', message: message + text });
    const failed = 'tls: failed to verify certificate: x509: certificate is valid for';
    expect(said("IP: 10.0.0.1 is not in the cert's list: 127.0.0.1, ::1")).toBe(
      `${failed} 127.0.0.1, ::1, not 10.0.0.1`,
    );
    expect(said("Host: a.b. is not in the cert's altnames: DNS:c, IP Address:127.0.0.1")).toBe(
      `${failed} c, 127.0.0.1, not a.b`,
    );
    expect(wordsOf({ code: 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', message: '' })).toBe(
      'remote error: tls: unknown certificate authority',
    );
    expect(wordsOf({ code: 'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', message: '' })).toBe(
      'remote error: tls: bad certificate',
    );
    expect(wordsOf(new Error('as it is'))).toBe('as it is');
  });
});

test('what was made of files is made anew when they have changed, and kept while they are of no use', () => {
  const dir = mkdtempSync(join(tmpdir(), 'keel-watched-'));
  const path = join(dir, 'a');
  writeFileSync(path, '1');
  const failed: string[] = [];
  let loads = 0;
  const watched = new Watched(
    [path, ''],
    () => {
      loads++;
      return JSON.parse(readFileSync(path, 'utf8')) as number;
    },
    (err) => failed.push(err.name),
  );
  expect([watched.get(), watched.get(), loads]).toEqual([1, 1, 1]);
  writeFileSync(path, '[');
  expect([watched.get(), watched.get(), loads, failed]).toEqual([1, 1, 2, ['SyntaxError']]);
  rmSync(path);
  expect(watched.get()).toBe(1);
  writeFileSync(path, '22');
  expect(watched.get()).toBe(22);
  rmSync(dir, { recursive: true });
});
