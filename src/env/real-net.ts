import * as net from 'node:net';
import * as tls from 'node:tls';
import type { Conn, IoError, Net, NetListener } from '../util/env.js';
import type { TlsDialer, TlsServer } from './tls/index.js';
import { wordsOf } from './tls/index.js';

/** Bytes waiting in a connection above which `write` asks to hold back. */
const PENDING_BYTES_MAX = 1 << 20;
/** As etcd's listeners set it: a peer that vanished without a word is noticed by the system. */
const TCP_KEEPALIVE_MS = 30_000;

/** In front of an address that is to be dialed over TLS. */
const OVER_TLS = 'tls://';

/** TCP and TLS, by node:net and node:tls. */
export class RealNet implements Net {
  readonly #reserved = new Map<string, Reservation>();
  #dialer: TlsDialer | null = null;

  /** With what `tls://` addresses are dialed. Default: no certificate, and the authorities that Node knows. */
  dialWith(dialer: TlsDialer): void {
    this.#dialer = dialer;
  }

  /**
   * Takes an address before it is listened on, so that a member with a port that is in use touches nothing else.
   * Connections that come meanwhile wait for `listen`.
   * @param server puts TLS on what comes; default: none
   */
  reserve(address: string, cb: (err: Error | null, address: string) => void, server: TlsServer | null = null): void {
    const reservation = new Reservation(server);
    bind(
      address,
      (socket) => reservation.take(socket),
      (err, listener) => {
        if (err !== null || listener === null) return cb(err, '');
        reservation.listener = listener;
        this.#reserved.set(listener.address, reservation);
        cb(null, listener.address);
      },
    );
  }

  /** Gives up what was reserved and never listened on. */
  release(cb: () => void): void {
    const left = [...this.#reserved.values()];
    this.#reserved.clear();
    let open = left.length;
    if (open === 0) return cb();
    for (const reservation of left) {
      reservation.drop();
      reservation.listener?.close(() => {
        if (--open === 0) cb();
      });
    }
  }

  listen(
    address: string,
    onConn: (conn: Conn) => void,
    cb: (err: Error | null, listener: NetListener | null) => void,
  ): void {
    const accept = (socket: net.Socket): void => onConn(new TcpConn(socket, ''));
    const reservation = this.#reserved.get(address);
    if (reservation !== undefined) {
      this.#reserved.delete(address);
      setImmediate(() => {
        cb(null, reservation);
        reservation.open(accept);
      });
      return;
    }
    bind(address, accept, cb);
  }

  dial(address: string): Conn {
    if (!address.startsWith(OVER_TLS)) {
      const { host, port } = splitAddress(address);
      return new TcpConn(net.connect({ host, port, noDelay: true }), 'connect');
    }
    const { host = 'localhost', port } = splitAddress(address.slice(OVER_TLS.length));
    const socket =
      this.#dialer?.connect(host, port) ?? tls.connect({ host, port, servername: net.isIP(host) === 0 ? host : '' });
    return new TcpConn(socket, 'secureConnect');
  }
}

class Reservation implements NetListener {
  listener: NetListener | null = null;
  readonly #held: net.Socket[] = [];
  #accept: ((socket: net.Socket) => void) | null = null;
  readonly #server: TlsServer | null;

  constructor(server: TlsServer | null) {
    this.#server = server;
  }

  get address(): string {
    return this.listener?.address ?? '';
  }

  /** Who is shaking hands is sent away: a process that ends does not wait for them. */
  close(cb: () => void = () => {}): void {
    this.#server?.close();
    if (this.listener === null) cb();
    else this.listener.close(cb);
  }

  take(socket: net.Socket): void {
    if (this.#accept !== null) return this.#accept(socket);
    // It may fail while nobody listens to it yet.
    socket.on('error', () => {});
    this.#held.push(socket);
  }

  open(accept: (socket: net.Socket) => void): void {
    const server = this.#server;
    this.#accept = accept;
    if (server !== null) {
      server.onSecure = accept;
      this.#accept = (socket) => {
        // It may fail before TLS has taken it over.
        socket.on('error', () => {});
        server.accept(socket);
      };
    }
    for (const socket of this.#held.splice(0)) if (!socket.destroyed) this.#accept(socket);
  }

  drop(): void {
    for (const socket of this.#held.splice(0)) socket.destroy();
    this.#accept = (socket) => socket.destroy();
  }
}

function bind(
  address: string,
  accept: (socket: net.Socket) => void,
  cb: (err: Error | null, listener: NetListener | null) => void,
): void {
  const { host, port } = splitAddress(address);
  const server = net.createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEPALIVE_MS }, accept);
  const refused = (err: Error): void => cb(err, null);
  server.once('error', refused);
  server.listen({ host, port }, () => {
    server.off('error', refused);
    // An accept may fail where descriptors run out; the listener itself stays.
    server.on('error', () => {});
    cb(null, new TcpListener(server));
  });
}

class TcpListener implements NetListener {
  readonly address: string;
  readonly #server: net.Server;

  constructor(server: net.Server) {
    this.#server = server;
    const { address, port, family } = server.address() as net.AddressInfo;
    this.address = family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
  }

  /** Takes no more connections; those that are open stay. */
  close(cb: () => void = () => {}): void {
    // Node's own callback waits for every connection to end, and these belong to others.
    this.#server.close();
    setImmediate(cb);
  }
}

class TcpConn implements Conn {
  readonly remote: string;
  onOpen: (() => void) | null = null;
  onData: ((chunk: Buffer) => void) | null = null;
  onClose: ((err: IoError | null) => void) | null = null;
  onDrain: (() => void) | null = null;
  readonly #socket: net.Socket;
  #err: IoError | null = null;
  #held = false;

  /** @param opened the event that says that bytes can be sent; '' where they can already */
  constructor(socket: net.Socket, opened: '' | 'connect' | 'secureConnect') {
    this.#socket = socket;
    this.remote = `${socket.remoteAddress ?? ''}:${socket.remotePort ?? ''}`;
    let isOpen = opened === '';
    if (opened !== '') {
      socket.on(opened, () => {
        isOpen = true;
        this.onOpen?.();
      });
    }
    socket.on('data', (chunk) => this.onData?.(chunk));
    socket.on('drain', () => {
      if (!this.#held) return;
      this.#held = false;
      this.onDrain?.();
    });
    socket.on('error', (err) => {
      this.#err = err as Error as IoError;
      if (!isOpen && opened === 'secureConnect') this.#err.message = wordsOf(this.#err);
    });
    socket.on('close', () => this.onClose?.(this.#err));
  }

  write(chunks: Buffer[]): boolean {
    const socket = this.#socket;
    if (socket.destroyed) return false;
    if (chunks.length === 1) {
      socket.write(chunks[0] as Buffer);
    } else {
      // Corked writes leave in one writev.
      socket.cork();
      for (const chunk of chunks) socket.write(chunk);
      socket.uncork();
    }
    if (socket.writableLength <= PENDING_BYTES_MAX) return true;
    this.#held = true;
    return false;
  }

  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** `[::1]:2380` and `localhost:2380`. An empty host is every interface. */
function splitAddress(address: string): { host: string | undefined; port: number } {
  const colon = address.lastIndexOf(':');
  const port = Number(address.slice(colon + 1));
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host: host === '' ? undefined : host, port };
}
