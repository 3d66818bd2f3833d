import type { Socket } from 'node:net';
import type { DetailedPeerCertificate, SecureContextOptions, Server, TLSSocket } from 'node:tls';
import { createServer } from 'node:tls';
import type { Logger } from '../../util/log.js';
import { altNames, checkAllowed, checkOrigin, commonName } from './check.js';
import { mustFit, read } from './files.js';
import { RevokedList } from './revoked-list.js';
import type { TlsSettings } from './settings.js';
import { asksForCertificate, checkSettings } from './settings.js';
import { Watched } from './watched.js';
import { wordsOf } from './words.js';

/** As etcd's listeners. */
const HANDSHAKE_MS = 10_000;

export interface TlsServerOptions {
  readonly side: 'client' | 'peer';
  /** Offered by ALPN, best first; a client that names none is taken as well. */
  readonly protocols: readonly string[];
  readonly log: Logger;
}

/** Puts TLS on connections that somebody else accepted, and refuses those whose certificate is not good. */
export class TlsServer {
  /** To be set by the owner. `certificateName`: the common name, with --client-cert-auth; else ''. */
  onSecure: (socket: TLSSocket, certificateName: string) => void = (socket) => socket.destroy();
  readonly #settings: TlsSettings;
  readonly #options: TlsServerOptions;
  readonly #log: Logger;
  readonly #context: Watched<SecureContextOptions>;
  readonly #revoked: RevokedList;
  readonly #asks: boolean;
  readonly #server: Server;
  #inForce: SecureContextOptions;
  /** Connections that have not shaken hands, by where they come from. */
  readonly #pending = new Map<string, Socket>();

  /** @throws TlsError for files that are not there or do not fit */
  constructor(settings: TlsSettings, options: TlsServerOptions) {
    checkSettings(settings);
    this.#settings = settings;
    this.#options = options;
    this.#log = options.log.with({ caller: 'tls/server.ts' });
    this.#asks = asksForCertificate(settings);
    const { certFile, keyFile, trustedCaFile, crlFile } = settings;
    this.#context = new Watched([certFile, keyFile, trustedCaFile], () => serverContext(settings), this.#kept);
    this.#revoked = new RevokedList(crlFile);
    this.#inForce = this.#context.get();
    this.#server = createServer({
      ...this.#inForce,
      // With false OpenSSL would not tell who shows no certificate why it is refused.
      requestCert: this.#asks,
      rejectUnauthorized: this.#asks,
      ALPNCallback: choose(options.protocols),
      handshakeTimeout: HANDSHAKE_MS,
    });
    this.#server.on('secureConnection', (socket) => this.#secured(socket));
    this.#server.on('tlsClientError', (err: NodeJS.ErrnoException, socket) => {
      const reason = socket.authorizationError as Error | string | null | undefined;
      // Who goes away by himself, as a probe of the port does, is not refused.
      if (!reason && err.code === 'ECONNRESET') return;
      this.#refused(socket, wordsOf(reason || err));
    });
  }

  readonly #kept = (err: Error): void => {
    this.#log.warn('failed to load changed TLS files; the ones before stay in force', { error: err.message });
  };

  /** Nothing of the socket has been read. */
  accept(socket: Socket): void {
    const context = this.#context.get();
    if (context !== this.#inForce) {
      this.#server.setSecureContext(context);
      this.#inForce = context;
      this.#log.info('loaded changed TLS files', { 'cert-file': this.#settings.certFile });
    }
    const remote = remoteOf(socket);
    this.#pending.set(remote, socket);
    socket.once('close', () => {
      if (this.#pending.get(remote) === socket) this.#pending.delete(remote);
    });
    this.#server.emit('connection', socket);
  }

  /** Nobody comes in any more, and those who are at the door are sent away. */
  close(): void {
    this.onSecure = (socket) => socket.destroy();
    for (const socket of [...this.#pending.values()]) socket.destroy();
  }

  #handOn(socket: TLSSocket, certificateName: string): void {
    this.#pending.delete(remoteOf(socket));
    this.onSecure(socket, certificateName);
  }

  #secured(socket: TLSSocket): void {
    socket.on('error', () => socket.destroy());
    if (!this.#asks) return this.#handOn(socket, '');
    const cert = socket.getPeerCertificate(true);
    // A session that was taken up again without its certificate proves nothing.
    const why = cert.raw === undefined ? "tls: client didn't provide a certificate" : this.#check(cert);
    if (why !== null) return this.#refused(socket, why);
    const name = this.#settings.clientCertAuth ? commonName(cert) : '';
    if (this.#options.side === 'client' || this.#settings.skipClientSanVerification) return this.#handOn(socket, name);
    checkOrigin(cert, plainAddress(socket.remoteAddress)).then(
      (foreign) => {
        if (foreign !== null) this.#refused(socket, foreign);
        else if (!socket.destroyed) this.#handOn(socket, name);
      },
      (err: Error) => this.#refused(socket, err.message),
    );
  }

  #check(cert: DetailedPeerCertificate): string | null {
    const foreign = checkAllowed(this.#settings, cert);
    return foreign ?? this.#revoked.check(cert);
  }

  #refused(socket: TLSSocket, error: string): void {
    const leaf = socket.destroyed ? undefined : socket.getPeerX509Certificate();
    const names = leaf === undefined ? null : altNames(leaf);
    this.#log.warn(`rejected connection on ${this.#options.side} endpoint`, {
      'remote-addr': remoteOf(socket),
      'server-name': socket.servername || '',
      ...(names === null ? {} : { 'ip-addresses': names.addresses, 'dns-names': names.names }),
      error,
    });
    socket.destroy();
  }
}

function serverContext(settings: TlsSettings): SecureContextOptions {
  const { certFile, keyFile, trustedCaFile, ciphers, minVersion, maxVersion } = settings;
  const options: SecureContextOptions = {
    cert: read(certFile),
    key: read(keyFile),
    minVersion,
    maxVersion,
    ...(trustedCaFile === '' ? {} : { ca: read(trustedCaFile) }),
    ...(ciphers === '' ? {} : { ciphers, honorCipherOrder: true }),
  };
  mustFit(options);
  return options;
}

/**
 * The best of ours that the client knows. Node calls it as a method of the socket, whose address it forgets when it
 * destroys it for a bad certificate, unless somebody has asked before.
 */
function choose(ours: readonly string[]): (offer: { protocols: string[] }) => string | undefined {
  return function (this: TLSSocket | undefined, { protocols }) {
    void this?.remoteAddress;
    return ours.find((protocol) => protocols.includes(protocol));
  };
}

function remoteOf({ remoteAddress, remotePort }: Socket): string {
  return remoteAddress === undefined ? '' : `${remoteAddress}:${remotePort}`;
}

/** An IPv4 address that came by an IPv6 socket is that address. */
function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/, '');
}
