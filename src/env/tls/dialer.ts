import { isIP } from 'node:net';
import type { ConnectionOptions, DetailedPeerCertificate, SecureContext, TLSSocket } from 'node:tls';
import { checkServerIdentity, connect, createSecureContext } from 'node:tls';
import type { Logger } from '../../util/log.js';
import { checkAllowed } from './check.js';
import { mustFit, read } from './files.js';
import { RevokedList } from './revoked-list.js';
import type { TlsSettings } from './settings.js';
import { checkSettings } from './settings.js';
import { Watched } from './watched.js';

/** What members call what they speak, by ALPN. */
export const PEER_PROTOCOLS = ['keel-peer'];

/** Connects to other members over TLS, with this member's certificate. */
export class TlsDialer {
  readonly #settings: TlsSettings;
  readonly #context: Watched<SecureContext>;
  readonly #revoked: RevokedList;

  /** @throws TlsError for files that are not there or do not fit */
  constructor(settings: TlsSettings, log: Logger) {
    checkSettings(settings);
    this.#settings = settings;
    this.#revoked = new RevokedList(settings.crlFile);
    const { certFile, keyFile, clientCertFile, clientKeyFile, trustedCaFile } = settings;
    const files = [certFile, keyFile, clientCertFile, clientKeyFile, trustedCaFile];
    this.#context = new Watched(
      files,
      () => dialContext(settings),
      (err) => log.warn('failed to load changed TLS files; the ones before stay in force', { error: err.message }),
    );
  }

  connect(host: string, port: number): TLSSocket {
    const options: ConnectionOptions = {
      host,
      port,
      secureContext: this.#context.get(),
      ALPNProtocols: PEER_PROTOCOLS,
      rejectUnauthorized: !this.#settings.selfSigned,
      // Called for a certificate that is good otherwise.
      checkServerIdentity: (name, cert) => {
        const foreign = checkServerIdentity(name, cert);
        if (foreign !== undefined) return foreign;
        const why = checkAllowed(this.#settings, cert) ?? this.#revoked.check(cert as DetailedPeerCertificate);
        return why === null ? undefined : new Error(why);
      },
    };
    // No name of a server is an address (RFC 6066 section 3).
    if (isIP(host) === 0) options.servername = host;
    const socket = connect(options);
    socket.setNoDelay(true);
    return socket;
  }
}

function dialContext(settings: TlsSettings): SecureContext {
  const { certFile, keyFile, clientCertFile, clientKeyFile, trustedCaFile, ciphers, minVersion, maxVersion } = settings;
  const [cert, key] = clientCertFile === '' ? [certFile, keyFile] : [clientCertFile, clientKeyFile];
  const options = {
    minVersion,
    maxVersion,
    ...(cert === '' ? {} : { cert: read(cert), key: read(key) }),
    ...(trustedCaFile === '' ? {} : { ca: read(trustedCaFile) }),
    ...(ciphers === '' ? {} : { ciphers }),
  };
  mustFit(options);
  return createSecureContext(options);
}
