/** The HTTPS side: connections, their certificates, their end. */
import type { IncomingMessage } from 'node:http';
import { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { CertificateAuthorities } from '../authn/index.js';
import type { ApiServer, Peer } from './api-server.js';

export interface ListenerOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  /** PEM of the authorities whose certificates clients are asked for. */
  readonly clientCa: string;
  readonly authorities: CertificateAuthorities;
  /** Connections beyond are closed at once. */
  readonly maxConnections: number;
}

const NOBODY: Peer = { certificate: null };
/** Longer than clients keep idle connections (90 s), so that it is they who close. */
const IDLE_MS = 120_000;
const HANDSHAKE_MS = 10_000;
const HEADERS_MS = 30_000;
/** A dead client's connection is noticed in so long, with the probes that follow. */
const PROBE_AFTER_MS = 30_000;
/** Clients that do not take what was sent to them at the end. */
const LINGER_MS = 1000;
const HEADER_BYTES_MAX = 64 * 1024;

export class Listener {
  readonly #server: ReturnType<typeof createServer>;
  readonly #api: ApiServer;
  readonly #options: ListenerOptions;
  /** Who shows which certificate is asked once a connection. */
  readonly #peers = new WeakMap<Duplex, Peer>();
  readonly #sockets = new Set<Duplex>();

  constructor(api: ApiServer, options: ListenerOptions) {
    this.#api = api;
    this.#options = options;
    this.#server = createServer(
      {
        cert: options.cert,
        key: options.key,
        // Named to clients as authorities; who shows a certificate of another gets a 401 and no broken connection.
        ca: options.clientCa,
        requestCert: true,
        rejectUnauthorized: false,
        ALPNProtocols: ['http/1.1'],
        minVersion: 'TLSv1.2',
        handshakeTimeout: HANDSHAKE_MS,
        keepAlive: true,
        keepAliveInitialDelay: PROBE_AFTER_MS,
        noDelay: true,
        maxHeaderSize: HEADER_BYTES_MAX,
      },
      (request, response) => void api.handle(request, response, this.#peerOf(request.socket)),
    );
    this.#server.keepAliveTimeout = IDLE_MS;
    this.#server.headersTimeout = HEADERS_MS;
    this.#server.timeout = 0;
    this.#server.maxConnections = options.maxConnections;
    this.#server.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket, head));
    this.#server.on('secureConnection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    // Scanners and health checks that speak no TLS.
    this.#server.on('tlsClientError', (_, socket) => socket.destroy());
    this.#server.on('clientError', (_, socket) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
      else socket.destroy();
    });
  }

  /** @returns the port that was bound */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port, this.#options.host, () => {
        this.#server.removeListener('error', reject);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** No new connections; what is under way is given time. */
  async stop(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await this.#api.stop(graceMs);
    // What has been written still goes out; a connection that is cut breaks the last answer on it.
    for (const socket of this.#sockets) socket.end();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((done) => {
      timer = setTimeout(done, LINGER_MS);
    });
    await Promise.race([closed, late]);
    clearTimeout(timer);
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #peerOf(socket: Duplex): Peer {
    const known = this.#peers.get(socket);
    if (known !== undefined) return known;
    const peer = this.#identify(socket as TLSSocket);
    this.#peers.set(socket, peer);
    return peer;
  }

  #identify(socket: TLSSocket): Peer {
    const certificate = socket.getPeerX509Certificate?.();
    if (certificate === undefined) return NOBODY;
    try {
      return { certificate: this.#options.authorities.identify(certificate) };
    } catch {
      // A key or a form that cannot be checked: shown, and not believed.
      return { certificate: { commonName: '', organizations: [], authority: 'none' } };
    }
  }

  /** Most who ask for another protocol are answered as if they had not: by a Status. */
  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Socket);
    response.on('finish', () => socket.end());
    await this.#api.handle(request, response, this.#peerOf(socket), { socket, head });
  }
}
