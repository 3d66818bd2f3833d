import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CertificateSpec, KeyAndCertificate } from '../../src/env/tls/certificate.js';
import { makeCertificate, signed, subjectOf } from '../../src/env/tls/certificate.js';
import { integer, oid, pem, sequence, time } from '../../src/env/tls/der.js';

const HOUR_MS = 3_600_000;

/** Where one certificate lies. */
export interface CertFiles {
  readonly cert: string;
  readonly key: string;
}

/** An authority, and a folder with what it has signed. */
export class Authority {
  readonly dir: string;
  readonly #ca: KeyAndCertificate;

  private constructor(dir: string, name: string) {
    this.dir = dir;
    mkdirSync(dir, { recursive: true });
    this.#ca = makeCertificate({ commonName: name, isCa: true, notBefore: Date.now() - HOUR_MS });
    writeFileSync(this.caFile, this.#ca.cert);
  }

  /** In a new folder of the system's, or in `dir`. */
  static make(name = 'test ca', dir = mkdtempSync(join(tmpdir(), 'keel-certs-'))): Authority {
    return new Authority(dir, name);
  }

  get caFile(): string {
    return join(this.dir, 'ca.pem');
  }

  /** Writes `<file>.pem` and `<file>.key`, over what was there. */
  issue(file: string, spec: CertificateSpec): CertFiles {
    const notBefore = spec.notBefore ?? Date.now() - HOUR_MS;
    const made = makeCertificate({ ...spec, notBefore, issuer: this.#ca });
    const files = { cert: join(this.dir, `${file}.pem`), key: join(this.dir, `${file}.key`) };
    writeFileSync(files.cert, made.cert);
    writeFileSync(files.key, made.key);
    return files;
  }

  /** Writes a list of revoked certificates (RFC 5280 section 5). */
  revoke(file: string, certs: readonly string[], form: 'der' | 'pem' = 'der'): string {
    const revoked = certs.map((cert) => {
      const serial = Buffer.from(new X509Certificate(cert).serialNumber, 'hex');
      return sequence(integer(serial), time(Date.now()));
    });
    const tbs = sequence(
      integer(Buffer.from([1])),
      sequence(oid('1.2.840.10045.4.3.2')),
      subjectOf(this.#ca.cert),
      time(Date.now() - HOUR_MS),
      time(Date.now() + HOUR_MS),
      ...(revoked.length === 0 ? [] : [sequence(...revoked)]),
    );
    const path = join(this.dir, file);
    const list = signed(tbs, this.#ca.key);
    writeFileSync(path, form === 'der' ? list : pem('X509 CRL', list));
    return path;
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
