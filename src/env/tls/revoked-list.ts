import type { DetailedPeerCertificate } from 'node:tls';
import { checkRevoked } from './check.js';
import { read } from './files.js';
import { revokedSerials } from './revocation.js';
import { Watched } from './watched.js';

/** --client-crl-file and --peer-crl-file: a file that is read again when it has changed. */
export class RevokedList {
  readonly #list: Watched<ReadonlySet<string> | Error> | null;

  /** @param path '' for no list */
  constructor(path: string) {
    this.#list =
      path === ''
        ? null
        : new Watched(
            [path],
            () => load(path),
            () => {},
          );
  }

  /** null, or why a certificate is refused. Where the list cannot be read, nobody can say: each is refused. */
  check(cert: DetailedPeerCertificate): string | null {
    const revoked = this.#list?.get() ?? null;
    if (revoked === null) return null;
    return revoked instanceof Error ? revoked.message : checkRevoked(revoked, cert);
  }
}

function load(path: string): ReadonlySet<string> | Error {
  try {
    return revokedSerials(read(path));
  } catch (err) {
    return err as Error;
  }
}
