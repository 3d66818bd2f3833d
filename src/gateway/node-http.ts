import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { ExchangeListener, HttpExchange } from './http.js';
import type { Pages } from './site.js';
import { parseTarget } from './target.js';

/** Of a request's line and headers together; beyond, 431. */
const HEADER_BYTES_MAX = 64 << 10;
/** How long a client may take, ms. */
export interface HttpTimes {
  /** Until the head of a request is complete. */
  readonly headMs: number;
  /** How often that is looked at. */
  readonly checkMs: number;
  /** A connection without a request is kept for this long. */
  readonly idleMs: number;
}

const TIMES: HttpTimes = { headMs: 10_000, checkMs: 2_000, idleMs: 120_000 };
/** A client that takes nothing of a complete answer for this long has gone, ms. */
const STALL_MS = 60_000;
const REST_MS = 5_000;

/** HTTP/1.1 by node:http, fed with connections by a client port. It never listens itself. */
export function httpServerOf(site: Pages, times: HttpTimes = TIMES): Server {
  const options = {
    requireHostHeader: false,
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: times.headMs,
    // Bodies have no common limit: that of a watch is open for as long as its client likes (json-gateway.ts).
    requestTimeout: 0,
    connectionsCheckingInterval: times.checkMs,
    keepAliveTimeout: times.idleMs,
  };
  const server = createServer(options, (incoming, outgoing) => serve(site, incoming, outgoing));
  // A client that asks first is told to go on when its body is wanted, and not before.
  server.on('checkContinue', (incoming: IncomingMessage, outgoing: ServerResponse) => serve(site, incoming, outgoing));
  server.on('clientError', (err: NodeJS.ErrnoException, socket) => {
    // Not HTTP at all: there is nobody to answer, as with etcd's multiplexer.
    if (err.code === 'HPE_INVALID_METHOD' || !socket.writable) return void socket.destroy();
    if (err.code === 'HPE_HEADER_OVERFLOW') return hangUpWith(socket, '431 Request Header Fields Too Large');
    if (err.code === 'ERR_HTTP_REQUEST_TIMEOUT') return hangUpWith(socket, '408 Request Timeout');
    hangUpWith(socket, '400 Bad Request');
  });
  // Node begins to look for heads that do not come to their end when a server listens, which this one never does itself.
  server.emit('listening');
  return server;
}

/** As Go's server words what it could not read. */
function hangUpWith(socket: Duplex, status: string, why = ''): void {
  const text = `${status}${why}`;
  socket.end(`HTTP/1.1 ${text}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${text}`);
  // What is still to come is read and dropped: to leave it unread would reset the connection under the answer.
  socket.resume();
  // It may never end.
  setTimeout(() => socket.destroy(), REST_MS).unref();
}

function serve(site: Pages, incoming: IncomingMessage, outgoing: ServerResponse): void {
  if (incoming.httpVersion === '1.1' && incoming.headers.host === undefined) {
    return hangUpWith(incoming.socket, '400 Bad Request', ': missing required Host header');
  }
  const target = parseTarget(incoming.url ?? '/');
  if (target === null) return hangUpWith(incoming.socket, '400 Bad Request');
  site.handle(new NodeExchange(incoming, outgoing, target));
}

class NodeExchange implements HttpExchange {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly #in: IncomingMessage;
  readonly #out: ServerResponse;
  #listener: ExchangeListener | null = null;
  #wanted = false;
  #told = false;

  constructor(incoming: IncomingMessage, outgoing: ServerResponse, target: { path: string; query: string }) {
    this.#in = incoming;
    this.#out = outgoing;
    this.method = incoming.method ?? 'GET';
    this.path = target.path;
    this.query = new URLSearchParams(target.query);
    // As Go: that a connection is kept goes without saying, but for a client of HTTP/1.0.
    if (incoming.httpVersion === '1.1' && outgoing.shouldKeepAlive) outgoing.removeHeader('Connection');
  }

  get host(): string {
    return this.#in.headers.host ?? '';
  }

  get remote(): string {
    const { remoteAddress = '', remotePort = 0 } = this.#in.socket;
    return remoteAddress.includes(':') ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
  }

  get secure(): boolean {
    return (this.#in.socket as Socket & Partial<TLSSocket>).encrypted === true;
  }

  get certificateName(): string {
    const socket = this.#in.socket as Socket & Partial<TLSSocket>;
    if (socket.authorized !== true) return '';
    const name = socket.getPeerCertificate?.().subject?.CN;
    return Array.isArray(name) ? (name[0] ?? '') : (name ?? '');
  }

  header(name: string): string | undefined {
    const value = this.#in.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  listen(listener: ExchangeListener): void {
    this.#listener = listener;
    const incoming = this.#in;
    if (this.header('expect')?.toLowerCase() === '100-continue') this.#out.writeContinue();
    incoming.on('readable', () => this.#give());
    incoming.on('end', () => this.#give());
    this.#out.on('drain', () => listener.onDrain());
    this.#out.on('close', this.#over);
    incoming.on('error', this.#over);
    // Of requests behind others on one connection nobody tells the answers that it has gone.
    incoming.socket.setMaxListeners(0);
    incoming.socket.on('close', this.#over);
  }

  read(): void {
    this.#wanted = true;
    queueMicrotask(() => this.#give());
  }

  respond(status: number, headers: Readonly<Record<string, string>>): void {
    if (this.#gone) return;
    const safe: Record<string, string> = {};
    for (const [name, value] of Object.entries(headers)) safe[name] = inHeader(value);
    this.#out.writeHead(status, safe);
  }

  write(bytes: string | Buffer): boolean {
    return this.#gone || this.#out.write(bytes);
  }

  end(last?: string | Buffer): void {
    const out = this.#out;
    if (this.#gone) return;
    if (this.#listener === null) this.#in.resume();
    if (last === undefined) out.end();
    else out.end(last);
    if (!this.#in.complete) this.#dropRest();
    if (out.writableLength > 0) this.#dropStalled();
  }

  hangUp(): void {
    if (!this.#out.headersSent) this.#out.setHeader('Connection', 'close');
    this.#out.on('finish', () => this.#dropRest());
  }

  get #gone(): boolean {
    return this.#out.destroyed || this.#out.writableEnded;
  }

  #give(): void {
    const listener = this.#listener;
    if (!this.#wanted || listener === null || this.#told) return;
    const chunk = this.#in.read() as Buffer | null;
    if (chunk === null && !this.#in.readableEnded) return;
    this.#wanted = false;
    if (chunk === null) listener.onEnd();
    else listener.onData(chunk);
  }

  readonly #over = (): void => {
    if (this.#told) return;
    this.#told = true;
    this.#in.socket.off('close', this.#over);
    this.#listener?.onClose();
  };

  /** The rest of a body that nobody waits for may still come, for a while. */
  #dropRest(): void {
    const { socket } = this.#in;
    const timer = setTimeout(() => socket.destroy(), REST_MS).unref();
    this.#in.on('close', () => clearTimeout(timer));
    this.#in.resume();
  }

  #dropStalled(): void {
    const { socket } = this.#in;
    let left = socket.writableLength + this.#out.writableLength;
    const timer = setInterval(() => {
      const now = socket.writableLength + this.#out.writableLength;
      if (now >= left) socket.destroy();
      left = now;
    }, STALL_MS).unref();
    this.#out.on('close', () => clearInterval(timer));
  }
}

/** What may stand in a header: one byte a char, and nothing that ends a line or confuses who reads it. */
function inHeader(value: string): string {
  return Buffer.from(value, 'utf8').toString('latin1').replace(NOT_IN_HEADER, ' ');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not go out.
const NOT_IN_HEADER = /[\0-\x08\x0a-\x1f\x7f]/g;
