import type { Message } from '../raft/index.js';
import type { Env, TimerHandle } from '../util/env.js';
import { growing } from '../util/histogram.js';
import type { Logger } from '../util/log.js';
import { addressOf } from './address.js';
import type { PeerAddress, PeerIdentity, PeerReply } from './api.js';
import type { Traffic } from './channel.js';
import { Channel } from './channel.js';
import { encodeForward, encodeMessages, packr } from './envelope.js';
import { FrameType } from './frame.js';
import type { Refuse, Welcome } from './handshake.js';
import { peerError, Questions } from './questions.js';

export interface LinkEvents {
  onUp(id: bigint): void;
  /** @param evidence the process is gone: refused, or reset */
  onDown(id: bigint, evidence: boolean): void;
  onRemoved(): void;
}

export interface LinkTimes {
  readonly dialTimeoutMs: number;
  readonly retryMs: number;
  readonly retryMaxMs: number;
  readonly pingMs: number;
  /** Without a sign of life for so long the connection is given up. */
  readonly silenceMs: number;
  /** What may wait in a connection, in bytes, before raft messages are dropped; raft sends again what matters. */
  readonly pendingBytesMax: number;
}

export const linkTimes: LinkTimes = {
  dialTimeoutMs: 1000,
  retryMs: 50,
  retryMaxMs: 500,
  pingMs: 1000,
  silenceMs: 5000,
  pendingBytesMax: 128 << 20,
};

const GONE = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

/** Our connection to one peer: dialed again and again, messages gathered for one frame a turn. */
export class Link {
  readonly id: bigint;
  readonly #env: Env;
  readonly #log: Logger;
  readonly #identity: PeerIdentity;
  readonly #events: LinkEvents;
  readonly #times: LinkTimes;
  readonly #questions: Questions;
  #urls: readonly string[];
  #nextUrl = 0;
  #channel: Channel | null = null;
  #retryMs: number;
  #timer: TimerHandle | null = null;
  #pinger: TimerHandle | null = null;
  #closed = false;
  #messages: Message[] = [];
  #activeSince = -1;
  #heardAt = 0;
  #pingAt = 0;
  #version: string | null = null;
  /** The last trouble that was logged: the same is not logged again and again. */
  #logged = '';
  /** ms, of the last ping; -1 before the first. */
  roundTripMs = -1;
  readonly traffic: Traffic = { sentBytes: 0, receivedBytes: 0 };
  /** Messages and proposals that found no connection, or no room in it. */
  sentFailures = 0;
  disconnects = 0;
  readonly roundTrips = growing(0.0001, 2, 16);

  constructor(env: Env, log: Logger, identity: PeerIdentity, peer: PeerAddress, events: LinkEvents, times: LinkTimes) {
    this.id = peer.id;
    this.#env = env;
    this.#log = log;
    this.#identity = identity;
    this.#events = events;
    this.#times = times;
    this.#urls = peer.urls;
    this.#retryMs = times.retryMs;
    this.#questions = new Questions(env.timers);
    this.#dial();
  }

  get activeSince(): number {
    return this.#activeSince;
  }

  get version(): string | null {
    return this.#version;
  }

  get urls(): readonly string[] {
    return this.#urls;
  }

  setUrls(urls: readonly string[]): void {
    if (urls.length === this.#urls.length && urls.every((url, i) => url === this.#urls[i])) return;
    this.#urls = urls;
    this.#nextUrl = 0;
    this.#channel?.close();
  }

  #dial(): void {
    this.#timer = null;
    if (this.#closed) return;
    const url = this.#urls[this.#nextUrl++ % Math.max(1, this.#urls.length)];
    const address = url === undefined ? null : addressOf(url);
    if (address === null) return this.#retry();
    const options = {
      identity: this.#identity,
      to: this.id,
      purpose: 'link' as const,
      dialTimeoutMs: this.#times.dialTimeoutMs,
      traffic: this.traffic,
    };
    this.#channel = new Channel(this.#env, address, options, {
      onWelcome: (welcome) => this.#up(welcome),
      onFrame: (type, payload) => this.#frame(type, payload),
      onClose: (refused, err) => this.#down(refused, err),
    });
  }

  #retry(): void {
    if (this.#closed || this.#timer !== null) return;
    const jitter = this.#env.rng.below(Math.ceil(this.#retryMs / 2) + 1);
    this.#timer = this.#env.timers.set(this.#retryMs + jitter, () => this.#dial());
    this.#retryMs = Math.min(2 * this.#retryMs, this.#times.retryMaxMs);
  }

  #up(welcome: Welcome): void {
    this.#retryMs = this.#times.retryMs;
    this.#version = welcome.version;
    this.#activeSince = this.#env.clock.now();
    this.#heardAt = this.#activeSince;
    this.#logged = '';
    this.#log.info('established a connection to a remote peer', { 'remote-peer-id': this.id.toString(16) });
    this.#ping();
    this.#events.onUp(this.id);
  }

  #down(refused: Refuse | null, err: { code: string; message: string } | null): void {
    const wasUp = this.#activeSince >= 0;
    if (wasUp) this.disconnects++;
    this.#activeSince = -1;
    this.#channel = null;
    this.#messages = [];
    if (this.#pinger !== null) this.#env.timers.clear(this.#pinger);
    this.#pinger = null;
    const why = refused?.message ?? err?.message ?? 'closed';
    if (why !== this.#logged) {
      this.#logged = why;
      this.#log.warn('lost or could not make a connection to a remote peer', {
        'remote-peer-id': this.id.toString(16),
        urls: this.#urls,
        error: why,
      });
    }
    this.#questions.failAll();
    if (this.#closed) return;
    this.#retry();
    if (refused?.code === 'ERR_REMOVED') this.#events.onRemoved();
    else this.#events.onDown(this.id, err !== null && GONE.has(err.code) && (wasUp || err.code === 'ECONNREFUSED'));
  }

  #ping(): void {
    this.#pinger = this.#env.timers.set(this.#times.pingMs, () => this.#ping());
    const now = this.#env.clock.now();
    if (now - this.#heardAt > this.#times.silenceMs) return this.#channel?.close();
    this.#pingAt = now;
    this.#channel?.write(FrameType.Ping, []);
  }

  #frame(type: number, payload: Buffer): void {
    this.#heardAt = this.#env.clock.now();
    if (type === FrameType.Pong) {
      this.roundTripMs = this.#heardAt - this.#pingAt;
      this.roundTrips.observe(this.roundTripMs / 1000);
    } else if (type === FrameType.Reply) {
      const [id, error, body] = packr.unpack(payload) as [number, { code: string; message: string } | null, unknown];
      this.#questions.answer(id, error, body);
    }
  }

  send(message: Message): void {
    if (this.#channel?.open === true) this.#messages.push(message);
    else this.sentFailures++;
  }

  flush(): void {
    if (this.#messages.length === 0) return;
    const messages = this.#messages;
    this.#messages = [];
    if (this.#channel === null || this.#channel.pendingBytes > this.#times.pendingBytesMax) {
      this.sentFailures += messages.length;
      return;
    }
    this.#channel.write(FrameType.Messages, encodeMessages(messages).chunks);
  }

  forward(proposals: readonly Buffer[]): boolean {
    if (this.#channel?.open !== true || this.#channel.pendingBytes > this.#times.pendingBytesMax) return false;
    this.#channel.write(FrameType.Forward, encodeForward(proposals).chunks);
    return true;
  }

  request(kind: string, body: unknown, timeoutMs: number, cb: PeerReply): void {
    if (this.#channel?.open !== true) {
      this.#env.timers.defer(() => cb(peerError('ERR_PEER_UNREACHABLE', 'not connected'), null));
      return;
    }
    this.#channel.pack(FrameType.Request, [this.#questions.add(timeoutMs, cb), kind, body]);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#timer !== null) this.#env.timers.clear(this.#timer);
    this.#channel?.close();
    this.#questions.failAll();
  }
}
