import type { Conn, Env, IoError, TimerHandle } from '../util/env.js';
import type { PeerIdentity } from './api.js';
import { packr } from './envelope.js';
import { FrameReader, FrameType, frameHeader } from './frame.js';
import type { Purpose, Refuse, Welcome } from './handshake.js';
import { decodeRefuse, decodeWelcome, encodeHello } from './handshake.js';

export interface ChannelHandlers {
  /** The other side let us in. */
  onWelcome(welcome: Welcome): void;
  onFrame(type: number, payload: Buffer): void;
  /** Once: the connection is over. `refused` tells what the other side said, `err` what the network did. */
  onClose(refused: Refuse | null, err: IoError | null): void;
}

/** Bytes over all connections with a peer. */
export interface Traffic {
  sentBytes: number;
  receivedBytes: number;
}

/** A connection that we dialed, from the hello on. */
export class Channel {
  readonly #conn: Conn;
  readonly #timers: Env['timers'];
  readonly #reader = new FrameReader();
  readonly #handlers: ChannelHandlers;
  #welcomed = false;
  #closed = false;
  #refused: Refuse | null = null;
  #timer: TimerHandle | null;
  /** There was room again after a write that found none. */
  onDrain: (() => void) | null = null;
  readonly #traffic: Traffic;

  /** @param to 0n: whoever is there */
  constructor(
    env: Env,
    address: string,
    options: { identity: PeerIdentity; to: bigint; purpose: Purpose; dialTimeoutMs: number; traffic?: Traffic },
    handlers: ChannelHandlers,
  ) {
    this.#timers = env.timers;
    this.#handlers = handlers;
    this.#traffic = options.traffic ?? { sentBytes: 0, receivedBytes: 0 };
    const conn = env.net.dial(address);
    this.#conn = conn;
    conn.onOpen = () => this.write(FrameType.Hello, [encodeHello(options.identity, options.to, options.purpose)]);
    conn.onData = (chunk) => this.#data(chunk);
    conn.onClose = (err) => this.#over(err);
    conn.onDrain = () => this.onDrain?.();
    this.#timer = env.timers.set(options.dialTimeoutMs, () => this.close());
  }

  get open(): boolean {
    return this.#welcomed && !this.#closed;
  }

  get pendingBytes(): number {
    return this.#conn.pendingBytes;
  }

  /** @returns false if the connection wants no more for now */
  write(type: number, payload: Buffer[]): boolean {
    if (this.#closed) return false;
    let bytes = 0;
    for (const chunk of payload) bytes += chunk.length;
    this.#traffic.sentBytes += bytes;
    return this.#conn.write([frameHeader(type, bytes), ...payload]);
  }

  pack(type: number, value: unknown): boolean {
    return this.write(type, [Buffer.from(packr.pack(value))]);
  }

  #data(chunk: Buffer): void {
    if (this.#closed) return;
    this.#traffic.receivedBytes += chunk.length;
    const wrong = this.#reader.push(chunk, (type, payload) => {
      if (!this.#closed) this.#frame(type, payload);
    });
    if (wrong !== null) this.close();
  }

  #frame(type: number, payload: Buffer): void {
    if (type === FrameType.Refuse) {
      this.#refused = decodeRefuse(payload);
      return this.close();
    }
    if (this.#welcomed) return this.#handlers.onFrame(type, payload);
    const welcome = type === FrameType.Welcome ? decodeWelcome(payload) : null;
    if (welcome === null) return this.close();
    this.#welcomed = true;
    this.#clearTimer();
    this.#handlers.onWelcome(welcome);
  }

  #clearTimer(): void {
    if (this.#timer !== null) this.#timers.clear(this.#timer);
    this.#timer = null;
  }

  #over(err: IoError | null): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#clearTimer();
    this.#handlers.onClose(this.#refused, err);
  }

  close(): void {
    if (this.#closed) return;
    this.#conn.destroy();
    this.#over(null);
  }
}
