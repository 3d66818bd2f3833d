import type { Conn, Env, TimerHandle } from '../util/env.js';
import type { PeerHandlers, PeerIdentity, SnapshotSink } from './api.js';
import { decodeForward, decodeMessages, packr } from './envelope.js';
import { FrameReader, FrameType, frameHeader } from './frame.js';
import type { Hello, Refuse } from './handshake.js';
import { checkHello, decodeHello, encodeRefuse, encodeWelcome } from './handshake.js';

export interface InboundOwner {
  readonly identity: PeerIdentity;
  readonly handlers: PeerHandlers;
  isRemoved(id: bigint): boolean;
  onReceived(from: bigint, bytes: number): void;
  onRefused(hello: Hello | null, refuse: Refuse, remote: string): void;
  /** A member, maybe one that we do not know, sends us raft messages from now on. */
  onGreeted(hello: Hello): void;
  onInboundClosed(inbound: Inbound): void;
}

/** A dialer has to say who it is within this time, ms. */
const HELLO_TIMEOUT_MS = 5000;

/** A connection that a peer dialed: what it sends is for us, our answers go back on it. */
export class Inbound {
  readonly #conn: Conn;
  readonly #timers: Env['timers'];
  readonly #owner: InboundOwner;
  readonly #reader = new FrameReader();
  #hello: Hello | null = null;
  #sink: SnapshotSink | null = null;
  #timer: TimerHandle | null;
  #closed = false;

  constructor(env: Env, conn: Conn, owner: InboundOwner) {
    this.#conn = conn;
    this.#timers = env.timers;
    this.#owner = owner;
    this.#timer = env.timers.set(HELLO_TIMEOUT_MS, () => this.close());
    conn.onData = (chunk) => this.#data(chunk);
    conn.onClose = () => this.#over();
  }

  /** Who is there; 0n before its hello. */
  get from(): bigint {
    return this.#hello?.from ?? 0n;
  }

  #data(chunk: Buffer): void {
    if (this.#closed) return;
    if (this.#hello !== null) this.#owner.onReceived(this.#hello.from, chunk.length);
    let wrong: string | null;
    try {
      wrong = this.#reader.push(chunk, (type, payload) => {
        if (!this.#closed) this.#frame(type, payload);
      });
    } catch (err) {
      if (!isMalformed(err)) throw err;
      wrong = (err as Error).message;
    }
    if (wrong !== null) this.close();
  }

  #frame(type: number, payload: Buffer): void {
    if (this.#hello === null) return this.#greet(type, payload);
    const { handlers, identity } = this.#owner;
    const { from, purpose } = this.#hello;
    switch (type) {
      case FrameType.Messages:
        if (purpose === 'link') handlers.onMessages(from, decodeMessages(payload, from, identity.memberId));
        return;
      case FrameType.Forward:
        if (purpose === 'link') handlers.onForward(from, decodeForward(payload));
        return;
      case FrameType.Request:
        return this.#request(payload, purpose === 'link' ? from : 0n);
      case FrameType.Ping:
        this.#write(FrameType.Pong, null);
        return;
      case FrameType.Chunk:
        return this.#chunk(payload);
      case FrameType.ChunkEnd:
        return this.#chunkEnd();
      default:
        this.close();
    }
  }

  #greet(type: number, payload: Buffer): void {
    const hello = type === FrameType.Hello ? decodeHello(payload) : null;
    const refuse = checkHello(hello, this.#owner.identity, (id) => this.#owner.isRemoved(id));
    if (refuse !== null) {
      this.#owner.onRefused(hello, refuse, this.#conn.remote);
      this.#write(FrameType.Refuse, encodeRefuse(refuse));
      // The dialer closes when it has read why; a stranger that does not is closed by the timer.
      return;
    }
    this.#clearTimer();
    this.#hello = hello;
    if (hello?.purpose === 'snapshot') {
      this.#sink = this.#owner.handlers.onSnapshot(hello.from);
      if (this.#sink === null) return this.close();
    }
    this.#write(FrameType.Welcome, encodeWelcome(this.#owner.identity));
    if (hello?.purpose === 'link') this.#owner.onGreeted(hello);
  }

  #request(payload: Buffer, from: bigint): void {
    const [id, kind, body] = packr.unpack(payload) as [number, string, unknown];
    let answered = false;
    this.#owner.handlers.onRequest(from, kind, body, (err, answer) => {
      if (answered) return;
      answered = true;
      this.#write(FrameType.Reply, Buffer.from(packr.pack([id, err, answer])));
    });
  }

  #chunk(payload: Buffer): void {
    this.#sink?.write(payload, (err) => {
      if (err === null) this.#write(FrameType.ChunkTaken, null);
      else this.#finish(err);
    });
  }

  #chunkEnd(): void {
    const sink = this.#sink;
    this.#sink = null;
    sink?.end((err) => this.#finish(err));
  }

  #finish(err: Error | null): void {
    this.#sink?.abort();
    this.#sink = null;
    this.#write(FrameType.ChunkDone, Buffer.from(packr.pack(err === null ? null : err.message)));
  }

  #write(type: number, payload: Buffer | null): void {
    if (this.#closed) return;
    const header = frameHeader(type, payload?.length ?? 0);
    this.#conn.write(payload === null ? [header] : [header, payload]);
  }

  #clearTimer(): void {
    if (this.#timer !== null) this.#timers.clear(this.#timer);
    this.#timer = null;
  }

  #over(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#clearTimer();
    this.#sink?.abort();
    this.#sink = null;
    this.#owner.onInboundClosed(this);
  }

  close(): void {
    if (this.#closed) return;
    this.#conn.destroy();
    this.#over();
  }
}

/** Errors of bytes that a peer sent, told from our own bugs, which must not pass for a bad connection. */
function isMalformed(err: unknown): boolean {
  return err instanceof RangeError || (err as { code?: unknown } | null)?.code === 'ERR_WIRE' || isUnpackError(err);
}

function isUnpackError(err: unknown): boolean {
  return (
    err instanceof Error &&
    /msgpack|unpack|end of buffer|Unexpected/i.test(err.message) &&
    err.name !== 'AssertionError'
  );
}
