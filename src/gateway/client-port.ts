import type { Server as HttpServer } from 'node:http';
import * as net from 'node:net';
import { maxFiles } from './metrics/process.js';

/** Where the connections of a client port go. */
export interface PortServers {
  /**
   * Serves HTTP/2, by ALPN or with prior knowledge: gRPC. Null: the port has none of it.
   * @param certificateName who the client is by its certificate; '' where that is not asked
   */
  readonly acceptHttp2: ((socket: net.Socket, certificateName: string) => void) | null;
  /** Null: gRPC alone is served here. */
  readonly http1: HttpServer | null;
}

/** Puts TLS on connections, and keeps those that may not come in to itself. */
export interface TlsDoor {
  /** The port's own. */
  onSecure(socket: net.Socket & { readonly alpnProtocol: string | false | null }, certificateName: string): void;
  accept(socket: net.Socket): void;
}

/** What every HTTP/2 client sends first (RFC 9113 section 3.4). */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
/** A connection that says nothing for this long is closed, ms. */
const SILENCE_MS = 10_000;
/** Connections kept waiting until the member serves; what comes beyond is closed. */
const WAITING_MAX = 1024;
/** Connections that the system may hold for us until they are accepted: as many as it allows, where Node asks for 511. */
const BACKLOG = 4096;
const TCP_KEEPALIVE_MS = 30_000;
/** Descriptors that are not for clients, as etcd has it: files, peers, and who watches the member. */
const RESERVED_FILES = 150;
const CONNECTIONS_MIN = 64;

/**
 * One listening client port, which gRPC and HTTP/1.1 share: the first bytes of a connection tell which it is (etcd wire
 * §1). It listens before the member is ready, so that a port in use is known at once, and hands connections on
 * from `serve` on.
 */
export class ClientPort {
  readonly #server: net.Server;
  readonly #open = new Set<net.Socket>();
  #waiting: net.Socket[] = [];
  #servers: PortServers | null = null;
  readonly #door: TlsDoor | null;
  readonly #connectionsMax = Math.max(maxFiles() - RESERVED_FILES, CONNECTIONS_MIN);

  private constructor(server: net.Server, door: TlsDoor | null) {
    this.#server = server;
    this.#door = door;
    if (door !== null) door.onSecure = (socket, name) => this.#secured(socket, socket.alpnProtocol, name);
    server.on('connection', (socket) => this.#connected(socket));
  }

  /**
   * @param where as net.Server.listen takes it
   * @param door its connections speak TLS; default: they do not
   */
  static listen(where: net.ListenOptions, door: TlsDoor | null = null): Promise<ClientPort> {
    return new Promise((resolve, reject) => {
      const server = net.createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEPALIVE_MS });
      const port = new ClientPort(server, door);
      server.once('error', reject);
      server.listen({ backlog: BACKLOG, ...where }, () => {
        server.off('error', reject);
        // An accept may fail where descriptors run out; the listener itself stays.
        server.on('error', () => {});
        resolve(port);
      });
    });
  }

  /** `host:port`, or the path of a socket file. */
  get address(): string {
    const at = this.#server.address();
    if (at === null) return '';
    if (typeof at === 'string') return at;
    return at.family === 'IPv6' ? `[${at.address}]:${at.port}` : `${at.address}:${at.port}`;
  }

  get port(): number {
    const at = this.#server.address();
    return at === null || typeof at === 'string' ? 0 : at.port;
  }

  serve(servers: PortServers): void {
    this.#servers = servers;
    for (const socket of this.#waiting.splice(0)) if (!socket.destroyed) this.#begin(socket);
  }

  /** Takes no more connections, and closes those that were not handed on. */
  stopAccepting(): void {
    this.#server.close();
    for (const socket of this.#waiting.splice(0)) socket.destroy();
  }

  /** Closes every connection that is left. */
  destroy(): void {
    this.stopAccepting();
    for (const socket of this.#open) socket.destroy();
  }

  #connected(socket: net.Socket): void {
    if (this.#open.size >= this.#connectionsMax) return void socket.destroy();
    this.#open.add(socket);
    socket.on('close', () => this.#open.delete(socket));
    socket.on('error', () => socket.destroy());
    if (this.#servers !== null) this.#begin(socket);
    else if (this.#waiting.length < WAITING_MAX) this.#waiting.push(socket);
    else socket.destroy();
  }

  #begin(socket: net.Socket): void {
    if (this.#door === null) this.#sniff(socket, '');
    else this.#door.accept(socket);
  }

  #secured(socket: net.Socket, protocol: string | false | null, certificateName: string): void {
    if (protocol === 'h2' || protocol === 'http/1.1') this.#handOn(socket, protocol === 'h2', certificateName);
    else this.#sniff(socket, certificateName);
  }

  #sniff(socket: net.Socket, certificateName: string): void {
    socket.setTimeout(SILENCE_MS, () => socket.destroy());
    let head: Buffer = Buffer.alloc(0);
    const look = (): void => {
      for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) head = Buffer.concat([head, chunk]);
      const length = Math.min(head.length, PREFACE.length);
      const differs = head.compare(PREFACE, 0, length, 0, length) !== 0;
      if (length === 0 || (!differs && length < PREFACE.length)) return;
      socket.off('readable', look);
      socket.setTimeout(0);
      socket.removeAllListeners('timeout');
      // An HTTP/2 client that gets its own preface wrong is none, and its first line is no HTTP/1 request either.
      if (differs && head.toString('latin1', 0, 4) === 'PRI ') return void socket.destroy();
      socket.unshift(head);
      this.#handOn(socket, !differs, certificateName);
    };
    socket.on('readable', look);
    look();
  }

  #handOn(socket: net.Socket, isHttp2: boolean, certificateName: string): void {
    const { acceptHttp2 = null, http1 = null } = this.#servers ?? {};
    if (isHttp2 && acceptHttp2 !== null) {
      acceptHttp2(socket, certificateName);
    } else if (isHttp2 || http1 === null) {
      socket.destroy();
    } else {
      http1.emit('connection', socket);
      // The listener for 'readable' had stopped the flow.
      socket.resume();
    }
  }
}
