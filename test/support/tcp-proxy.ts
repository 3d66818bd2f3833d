import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** Which way bytes go through the proxy: `in` from the dialer to the target, `out` back. */
export type Way = 'in' | 'out';

/** What is wrong with the connections of one dialer, or of all. */
export interface Trouble {
  /** Connections break, and new ones too. */
  readonly cut?: boolean;
  /** Bytes of these ways stay on the way until it is healed: TCP does not lose them, it is only late. */
  readonly held?: readonly Way[];
  /** Every chunk is this much later, and up to `jitterMs` more; order is kept. */
  readonly delayMs?: number;
  readonly jitterMs?: number;
}

export interface TcpProxyOptions {
  /** Says who dials, from the first bytes; undefined: it takes more of them. Default: all are the same to us. */
  readonly identify?: (first: Buffer) => string | undefined;
}

/** Bytes that may wait inside the proxy before it stops reading, each way. */
const WAITING_BYTES_MAX = 1 << 20;

/** Stands in front of a TCP port of this machine and spoils its connections. */
export class TcpProxy {
  readonly #server: Server;
  readonly #target: number;
  readonly #identify: ((first: Buffer) => string | undefined) | undefined;
  readonly #connections = new Set<Connection>();
  #trouble: { of: string | null; trouble: Trouble }[] = [];

  private constructor(server: Server, target: number, options: TcpProxyOptions) {
    this.#server = server;
    this.#target = target;
    this.#identify = options.identify;
    server.on('connection', (socket) => this.#accept(socket));
  }

  /** @param target a port of the loopback interface, which need not be listened on yet */
  static start(target: number, options: TcpProxyOptions = {}): Promise<TcpProxy> {
    const server = createServer({ noDelay: true });
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => resolve(new TcpProxy(server, target, options)));
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#connections.size;
  }

  /** Spoils the connections of one dialer, or of all (null), those that are open too. Adds to what is spoiled already. */
  spoil(of: string | null, trouble: Trouble): void {
    this.#trouble.push({ of, trouble });
    for (const connection of this.#connections) connection.update();
  }

  /** Everything is well again: what was held goes on its way, those that were cut may dial again. */
  heal(): void {
    this.#trouble = [];
    for (const connection of this.#connections) connection.update();
  }

  /** Breaks what is open; new connections are welcome. */
  drop(of: string | null = null): void {
    for (const connection of [...this.#connections]) if (of === null || connection.who === of) connection.break();
  }

  async close(): Promise<void> {
    for (const connection of [...this.#connections]) connection.break();
    await new Promise<void>((done) => this.#server.close(() => done()));
  }

  #accept(dialer: Socket): void {
    const connection = new Connection(dialer, connect({ port: this.#target, host: '127.0.0.1', noDelay: true }), {
      identify: this.#identify,
      trouble: (who) => this.#troubleOf(who),
      closed: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
    connection.update();
  }

  #troubleOf(who: string | undefined): Required<Trouble> {
    const all = this.#trouble.filter(({ of }) => of === null || of === who).map(({ trouble }) => trouble);
    return {
      cut: all.some((t) => t.cut === true),
      held: all.flatMap((t) => t.held ?? []),
      delayMs: Math.max(0, ...all.map((t) => t.delayMs ?? 0)),
      jitterMs: Math.max(0, ...all.map((t) => t.jitterMs ?? 0)),
    };
  }
}

interface ConnectionOwner {
  readonly identify: ((first: Buffer) => string | undefined) | undefined;
  trouble(who: string | undefined): Required<Trouble>;
  closed(): void;
}

class Connection {
  who: string | undefined;
  readonly #sockets: readonly [dialer: Socket, target: Socket];
  readonly #owner: ConnectionOwner;
  readonly #lanes: readonly [Lane, Lane];
  #first = Buffer.alloc(0);
  #over = false;

  constructor(dialer: Socket, target: Socket, owner: ConnectionOwner) {
    this.#sockets = [dialer, target];
    this.#owner = owner;
    this.#lanes = [new Lane(dialer, target), new Lane(target, dialer)];
    dialer.on('data', (chunk: Buffer) => {
      if (this.who === undefined && owner.identify) this.#meet(owner.identify, chunk);
      this.#lanes[0].push(chunk);
    });
    target.on('data', (chunk: Buffer) => this.#lanes[1].push(chunk));
    for (const socket of this.#sockets) {
      socket.on('error', () => this.break());
      socket.on('close', () => this.break());
    }
    dialer.on('end', () => this.#lanes[0].end());
    target.on('end', () => this.#lanes[1].end());
  }

  update(): void {
    const { cut, held, delayMs, jitterMs } = this.#owner.trouble(this.who);
    if (cut) return this.break();
    for (const [i, way] of (['in', 'out'] as const).entries()) {
      this.#lanes[i]!.set({ held: held.includes(way), delayMs, jitterMs });
    }
  }

  break(): void {
    if (this.#over) return;
    this.#over = true;
    for (const lane of this.#lanes) lane.stop();
    // Not resetAndDestroy: it waits for what is pending, and Node 20 was seen to spin at its end after some of them.
    for (const socket of this.#sockets) socket.destroy();
    this.#owner.closed();
  }

  #meet(identify: (first: Buffer) => string | undefined, chunk: Buffer): void {
    this.#first = Buffer.concat([this.#first, chunk]);
    this.who = identify(this.#first);
    if (this.who === undefined) return;
    this.#first = Buffer.alloc(0);
    this.update();
  }
}

/** One way of one connection: chunks, and the moment from which each may leave. */
class Lane {
  readonly #from: Socket;
  readonly #to: Socket;
  #waiting: { chunk: Buffer | null; at: number }[] = [];
  #bytes = 0;
  #state = { held: false, delayMs: 0, jitterMs: 0 };
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(from: Socket, to: Socket) {
    this.#from = from;
    this.#to = to;
  }

  set(state: { held: boolean; delayMs: number; jitterMs: number }): void {
    this.#state = state;
    this.#pump();
  }

  push(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#queue(chunk);
    if (this.#bytes > WAITING_BYTES_MAX) this.#from.pause();
  }

  end(): void {
    this.#queue(null);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #queue(chunk: Buffer | null): void {
    const { delayMs, jitterMs } = this.#state;
    this.#waiting.push({ chunk, at: performance.now() + delayMs + Math.random() * jitterMs });
    this.#pump();
  }

  #pump(): void {
    clearTimeout(this.#timer);
    if (this.#stopped || this.#state.held) return;
    for (let head = this.#waiting[0]; head; head = this.#waiting[0]) {
      const left = head.at - performance.now();
      if (left > 0) {
        this.#timer = setTimeout(() => this.#pump(), left);
        return;
      }
      this.#waiting.shift();
      if (head.chunk === null) {
        this.#to.end();
        continue;
      }
      this.#bytes -= head.chunk.length;
      this.#to.write(head.chunk);
    }
    if (this.#from.isPaused()) this.#from.resume();
  }
}
