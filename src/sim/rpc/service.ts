import { StreamCall, UnaryCall } from '../../rpc/call.js';
import type { Status, StreamRoute, UnaryRoute } from '../../rpc/index.js';
import { Router } from '../../rpc/router.js';
import type { Member } from '../../server/index.js';
import type { Conn, Env } from '../../util/env.js';
import { ROOT_NAME } from '../caller.js';
import type { Frame } from './frames.js';
import { decodeFrame, encodeFrame } from './frames.js';

/** A member's client port in the simulator: the production router behind connections of the simulated network. */
export function serveClients(member: Member, env: Env, address: string): void {
  const router = new Router(member, env, { watchProgressMs: 2000 });
  env.net.listen(
    address,
    (conn) => void new ServedConnection(router, env, conn),
    (err) => {
      if (err !== null) env.fatal(err);
    },
  );
}

type Begin = Extract<Frame, { path: string }>;

class ServedConnection {
  readonly env: Env;
  readonly #router: Router;
  readonly #conn: Conn;
  readonly #unary = new Map<number, ServedUnary>();
  readonly #streams = new Map<number, ServedStream>();
  #full = false;

  constructor(router: Router, env: Env, conn: Conn) {
    this.#router = router;
    this.env = env;
    this.#conn = conn;
    conn.onData = (chunk) => this.#take(chunk);
    conn.onDrain = () => {
      this.#full = false;
      for (const stream of [...this.#streams.values()]) stream.drained();
    };
    conn.onClose = () => {
      this.#unary.clear();
      for (const stream of [...this.#streams.values()]) stream.gone();
      this.#streams.clear();
    };
  }

  /** @returns false: hold back */
  write(frame: Frame, body?: Buffer): boolean {
    if (!this.#conn.write(encodeFrame(frame, body))) this.#full = true;
    return !this.#full;
  }

  forget(id: number): void {
    this.#streams.delete(id);
  }

  /** @returns whether anybody still waits for the answer */
  answers(id: number): boolean {
    return this.#unary.delete(id);
  }

  #take(chunk: Buffer): void {
    const { frame, body } = decodeFrame(chunk);
    switch (frame.kind) {
      case 'unary':
      case 'open':
        return this.#begin(frame, body);
      case 'message':
        return this.#streams.get(frame.id)?.took(body);
      case 'half-close':
        return this.#streams.get(frame.id)?.took(null);
      case 'cancel':
        this.#unary.delete(frame.id);
        return this.#streams.get(frame.id)?.gone();
      case 'end':
        throw new Error('a client ends nothing');
    }
  }

  #begin(begin: Begin, body: Buffer): void {
    const route = this.#router.at(begin.path);
    const deadline = begin.timeoutMs > 0 ? this.env.clock.now() + begin.timeoutMs : 0;
    if (route?.kind === 'unary' && begin.kind === 'unary') {
      const call = new ServedUnary(this, begin, body, deadline);
      this.#unary.set(begin.id, call);
      this.#router.unary(route as UnaryRoute, call);
    } else if (route?.kind === 'stream' && begin.kind === 'open') {
      const call = new ServedStream(this, begin, deadline);
      this.#streams.set(begin.id, call);
      this.#router.stream(route as StreamRoute, call);
    } else {
      const { code, message } = route?.kind === 'missing' ? route.status : this.#router.unknown(begin.path);
      this.write({ kind: 'end', id: begin.id, code, message });
    }
  }
}

class ServedUnary extends UnaryCall {
  readonly request: Buffer;
  readonly deadline: number;
  readonly #conn: ServedConnection;
  readonly #begin: Begin;

  constructor(conn: ServedConnection, begin: Begin, request: Buffer, deadline: number) {
    super();
    this.#conn = conn;
    this.#begin = begin;
    this.request = request;
    this.deadline = deadline;
  }

  metadata(name: string): string | undefined {
    return this.#begin.metadata[name];
  }

  override get certificateName(): string {
    return ROOT_NAME;
  }

  reply(response: Buffer): void {
    const { id } = this.#begin;
    if (this.#conn.answers(id)) this.#conn.write({ kind: 'message', id }, response);
  }

  refuse({ code, message }: Status): void {
    const { id } = this.#begin;
    if (this.#conn.answers(id)) this.#conn.write({ kind: 'end', id, code, message });
  }
}

class ServedStream extends StreamCall {
  readonly deadline: number;
  readonly #conn: ServedConnection;
  readonly #begin: Begin;
  /** Came and was not asked for yet; null: the client's half-close. */
  readonly #waiting: (Buffer | null)[] = [];
  #wanted = 0;
  #held = false;
  #ended = false;

  constructor(conn: ServedConnection, begin: Begin, deadline: number) {
    super();
    this.#conn = conn;
    this.#begin = begin;
    this.deadline = deadline;
  }

  metadata(name: string): string | undefined {
    return this.#begin.metadata[name];
  }

  override get certificateName(): string {
    return ROOT_NAME;
  }

  read(): void {
    this.#wanted++;
    this.#conn.env.timers.defer(() => this.#give());
  }

  took(message: Buffer | null): void {
    this.#waiting.push(message);
    this.#give();
  }

  #give(): void {
    while (!this.#ended && this.#wanted > 0 && this.#waiting.length > 0) {
      const message = this.#waiting.shift() as Buffer | null;
      this.#wanted--;
      if (message === null) this.handlers.onHalfClose();
      else this.handlers.onMessage(message);
    }
  }

  send(message: Buffer): boolean {
    if (this.#ended) return true;
    const room = this.#conn.write({ kind: 'message', id: this.#begin.id }, message);
    if (!room) this.#held = true;
    return room;
  }

  drained(): void {
    if (!this.#held || this.#ended) return;
    this.#held = false;
    this.handlers.onDrain();
  }

  end({ code, message }: Status): void {
    if (this.#ended) return;
    this.#conn.write({ kind: 'end', id: this.#begin.id, code, message });
    this.#over();
  }

  /** By the client, or with its connection. */
  gone(): void {
    if (!this.#ended) this.#over();
  }

  #over(): void {
    this.#ended = true;
    this.#conn.forget(this.#begin.id);
    // Not within the handler that ends it.
    this.#conn.env.timers.defer(() => this.over());
  }
}
