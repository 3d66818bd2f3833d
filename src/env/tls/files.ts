import { readFileSync } from 'node:fs';
import type { SecureContextOptions } from 'node:tls';
import { createSecureContext } from 'node:tls';
import { TlsError } from './settings.js';
import { wordsOf } from './words.js';

/** @throws TlsError with Go's words */
export function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (err) {
    const { code, message } = err as NodeJS.ErrnoException;
    if (code === 'EISDIR') throw new TlsError(`read ${path}: is a directory`, { cause: err });
    throw new TlsError(`open ${path}: ${REASONS[code ?? ''] ?? message}`, { cause: err });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
};

const CERTIFICATE = /-----BEGIN CERTIFICATE-----/;
const KEY = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/;

/** Certificate and key are what they should be, and belong together. @throws TlsError with Go's words */
export function mustFit(options: SecureContextOptions): void {
  const { cert, key } = options;
  if (cert !== undefined && !CERTIFICATE.test(String(cert))) {
    throw new TlsError(
      KEY.test(String(cert))
        ? 'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched'
        : 'tls: failed to find any PEM data in certificate input',
    );
  }
  if (key !== undefined && !KEY.test(String(key))) {
    throw new TlsError(
      CERTIFICATE.test(String(key))
        ? 'tls: found a certificate rather than a key in the PEM for the private key'
        : 'tls: failed to find any PEM data in key input',
    );
  }
  try {
    createSecureContext(options);
  } catch (err) {
    throw new TlsError(wordsOf(err as Error), { cause: err });
  }
}
