import type { Clock } from '../util/env.js';
import { RingBuffer } from '../util/ring-buffer.js';
import { Budget } from './budget.js';
import type { DeadlineWheel } from './deadline-wheel.js';
import type { ErrorCode } from './error-code.js';
import { ErrorCode as Code } from './error-code.js';
import { INT31_MAX, WINDOW_DEFAULT } from './frame.js';
import { ResponseBlocks } from './grpc/response-blocks.js';
import type { UnaryStream } from './grpc/unary-stream.js';
import type { Handlers } from './handlers.js';
import { HpackEncoder } from './hpack/encoder.js';
import type { Limits } from './limits.js';
import { STREAM_BYTES } from './limits.js';
import { PingRule } from './ping-rule.js';
import { Receiver } from './receiver.js';
import { Sender } from './sender.js';
import { openingFrames, PeerSettings } from './settings.js';
import type { Slab } from './slab.js';
import type { Socket, SocketListener } from './socket.js';
import type { Stream } from './stream.js';
import { StreamHistory } from './stream-history.js';

/** What a connection needs of its server. */
export interface ConnectionHost {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
  readonly handlers: Handlers;
  readonly slab: Slab;
  /** All connections together keep too much. */
  readonly isCrowded: boolean;
  /** Calls `turn` at the end of this turn of the event loop. */
  schedule(connection: Connection): void;
  /** It is gone. */
  closed(connection: Connection): void;
}

/** Our pings: whether the client lives, and whether it has heard that we are going. */
const KEEPALIVE_PING = Buffer.from('keelping', 'latin1');
const DRAIN_PING = Buffer.from('keelgone', 'latin1');
/** How long a client may take to hear that we are going, and to hang up when it has heard, ms. */
const DRAIN_PING_MS = 1_000;
const LINGER_MS = 1_000;

/**
 * One HTTP/2 connection, from its first byte:
 *
 *   open -> draining  GOAWAY with the largest id, a ping; GOAWAY with the last id once that is answered
 *        -> closing   nothing is read any more; what is written goes out, and the client may hang up first
 *        -> closed
 *
 * The receiver changes state, handlers queue answers, and `turn` writes once for all that happened in a turn.
 */
export class Connection implements SocketListener {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
  readonly handlers: Handlers;
  readonly peer = new PeerSettings();
  readonly encoder = new HpackEncoder();
  readonly blocks = new ResponseBlocks(this.encoder);
  readonly streams = new Map<number, Stream>();
  readonly history = new StreamHistory();
  readonly pings: PingRule;
  readonly sender: Sender;
  /** Frames that bring nothing forward, and cancelled calls. */
  readonly idleFrames: Budget;
  readonly resets: Budget;

  /** Bytes of answers that are queued, over all streams. */
  pendingBytes = 0;
  /** Received bytes that no one has asked for; and those of messages that are not complete or not asked for. */
  unreadBytes = 0;
  partialBytes = 0;
  /** Requests of unary calls that are not over. */
  requestBytes = 0;
  /** Bytes that the client may still send on this connection, and those that the next WINDOW_UPDATE gives back. */
  recvWindow: number;
  #recvCredit = 0;

  /** `turn` is scheduled. Of the server. */
  isScheduled = false;

  readonly #host: ConnectionHost;
  readonly #socket: Socket;
  readonly #receiver: Receiver;
  readonly #awake: Stream[] = [];
  readonly #held = new RingBuffer<UnaryStream>(4);
  readonly #full = new Set<Stream>();

  #state: 'open' | 'closing' | 'closed' = 'open';
  readonly #openedAt: number;
  #settingsAcked = false;
  /** 0: no GOAWAY sent; 1: the warning; 2: the last. */
  #goaways = 0;
  #drainAt = 0;
  /** In a GOAWAY; -1: none was sent but the warning. */
  #lastSaid = -1;
  #peerGone = false;
  #closingAt = 0;
  #heard = false;
  #heardAt: number;
  #pingedAt = -1;
  #idleSince: number;
  /** When `tick` first found a header block unfinished; -1: it did not. */
  #unfinishedSince = -1;
  #stalledSince = -1;
  #movedBytes = 0;
  #movedBefore = 0;
  #movedAtLook = 0;

  constructor(host: ConnectionHost, socket: Socket) {
    this.#host = host;
    this.#socket = socket;
    this.limits = host.limits;
    this.clock = host.clock;
    this.wheel = host.wheel;
    this.handlers = host.handlers;
    const now = host.clock.now();
    this.#openedAt = now;
    this.#heardAt = now;
    this.#idleSince = now;
    this.pings = new PingRule(this.limits);
    this.idleFrames = new Budget(this.limits.idleFramesMax, this.limits.idleFramesPerSecond, now);
    this.resets = new Budget(this.limits.resetsMax, this.limits.resetsPerSecond, now);
    this.recvWindow = Math.max(this.limits.connectionWindowBytes, WINDOW_DEFAULT);
    this.sender = new Sender(this);
    this.#receiver = new Receiver(this);
  }

  open(initialBytes: Buffer | null): void {
    this.sender.bytes(openingFrames(this.limits));
    this.schedule();
    this.#socket.listen(this);
    if (initialBytes !== null && initialBytes.length > 0) this.onData(initialBytes);
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** No stream may be opened any more: the client was told the last one that counts. */
  get refusesStreams(): boolean {
    return this.#goaways === 2;
  }

  /** The client does not take its answers, or all clients together do not: big ones are not to be made now. */
  get isHeld(): boolean {
    return this.pendingBytes > this.limits.holdCallsBytes || (this.pendingBytes > 0 && this.#host.isCrowded);
  }

  /** Bytes that it keeps. */
  get weight(): number {
    return this.partialBytes + this.requestBytes + this.pendingBytes + this.streams.size * STREAM_BYTES;
  }

  /** Bytes that were written since this was asked before. */
  movedSinceLook(): number {
    const moved = this.#movedBytes - this.#movedAtLook;
    this.#movedAtLook = this.#movedBytes;
    return moved;
  }

  crowdedOut(): void {
    this.fail(Code.ENHANCE_YOUR_CALM, 'too much memory is in use, and this connection keeps the most');
  }

  /** host:port of the client; '' where there is none. */
  get remote(): string {
    return this.#socket.remote ?? '';
  }

  /** Common name of the client's verified certificate; '' for none. */
  get certificateName(): string {
    return this.#socket.certificateName ?? '';
  }

  // --- of the socket ---

  onData(chunk: Buffer): void {
    if (this.#state !== 'open') return;
    this.#heard = true;
    this.#receiver.feed(chunk);
    if (this.sender.controlBytes > this.limits.controlBytesMax && this.#socket.full) {
      this.fail(Code.ENHANCE_YOUR_CALM, 'too many frames to answer and none read');
    }
  }

  onDrain(): void {
    if (this.#state !== 'closed') this.schedule();
  }

  /** A client that will not send again cannot renew a window either: it is gone. */
  onEnd(): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'open') this.#close();
    this.#socket.destroy();
  }

  onClose(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#disposeStreams();
    this.#host.closed(this);
  }

  // --- of streams ---

  schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    this.#host.schedule(this);
  }

  makeReady(stream: Stream): void {
    this.sender.enter(stream);
    this.schedule();
  }

  /** Calls the stream's onWake before the turn's write. */
  wake(stream: Stream): void {
    this.#awake.push(stream);
    this.schedule();
  }

  /** Hands a complete request on, unless too much is waiting to be sent already. */
  dispatch(stream: UnaryStream): void {
    if (this.pendingBytes <= this.limits.holdCallsBytes && this.#held.length === 0) stream.run();
    else this.#held.push(stream);
  }

  awaitDrain(stream: Stream): void {
    if (stream.isFull) return;
    stream.isFull = true;
    this.#full.add(stream);
  }

  /** Its END_STREAM is out. */
  streamEnded(stream: Stream): void {
    this.resets.give();
    if (!stream.remoteEnded) this.history.reset(stream.id);
    this.#forget(stream);
  }

  /** A frame that brings nothing forward: a few are no harm. */
  idleFrame(): void {
    if (!this.idleFrames.take(this.clock)) {
      this.fail(Code.ENHANCE_YOUR_CALM, 'too many frames that bring nothing forward');
    }
  }

  /**
   * A stream that the client ended before its answer, or that we had to. Work was begun for nothing; those that come to
   * their end pay for some of it.
   */
  chargeReset(): void {
    if (!this.resets.take(this.clock)) this.fail(Code.ENHANCE_YOUR_CALM, 'too many cancelled streams');
  }

  /** Ends a stream at once and says so to the client. */
  resetStream(id: number, code: ErrorCode): void {
    const stream = this.streams.get(id);
    if (stream === undefined || !stream.remoteEnded) this.history.reset(id);
    this.sender.reset(id, code);
    this.schedule();
    if (stream === undefined) return;
    this.#forget(stream);
    this.chargeReset();
  }

  /** The client ended a stream by RST_STREAM. */
  streamCancelled(stream: Stream): void {
    this.#forget(stream);
  }

  #forget(stream: Stream): void {
    if (stream.closed) return;
    this.streams.delete(stream.id);
    this.wheel.remove(stream);
    if (stream.isFull) this.#full.delete(stream);
    stream.dispose();
    stream.onClosed();
    if (this.streams.size === 0) this.#streamless();
  }

  #streamless(): void {
    this.#idleSince = this.clock.now();
    if (this.#goaways === 2 || this.#peerGone) this.schedule();
  }

  // --- windows ---

  /** Gives body bytes back to a stream. Half a window at a time: an update a message would double the frames. */
  credit(stream: Stream, bytes: number): void {
    if (stream.remoteEnded || stream.closed) return;
    stream.recvCredit += bytes;
    if (stream.recvCredit * 2 < this.limits.streamWindowBytes) return;
    this.sender.windowUpdate(stream.id, stream.recvCredit);
    stream.recvWindow += stream.recvCredit;
    stream.recvCredit = 0;
    this.schedule();
  }

  /** Gives body bytes back to the connection, at once: one stream that is not read does not stop the others. */
  creditConnection(bytes: number): void {
    this.#recvCredit += bytes;
    this.renewWindow();
  }

  /** But where too many are not read, it does. */
  renewWindow(): void {
    if (this.#recvCredit * 2 < this.limits.connectionWindowBytes || this.unreadBytes > this.limits.unreadBytesMax)
      return;
    this.sender.windowUpdate(0, this.#recvCredit);
    this.recvWindow += this.#recvCredit;
    this.#recvCredit = 0;
    this.schedule();
  }

  // --- the end ---

  settingsAcked(): void {
    this.#settingsAcked = true;
  }

  pingAcked(opaque: Buffer): void {
    if (this.#goaways === 1 && opaque.equals(DRAIN_PING)) this.#sayLast();
  }

  /** A connection error (RFC 9113 section 5.4.1). */
  fail(code: ErrorCode, text: string): void {
    if (this.#state !== 'open') return;
    this.#sayGoaway(code, text);
    this.#close();
  }

  /** The client says that it goes: its open calls come to their end. */
  peerGoesAway(): void {
    this.#peerGone = true;
    if (this.streams.size === 0) this.schedule();
  }

  /** Tells the client to go, lets its calls end, and closes. Idempotent. */
  drain(): void {
    if (this.#state !== 'open' || this.#goaways > 0) return;
    this.#goaways = 1;
    this.#drainAt = this.clock.now();
    // Requests that are on their way still count; the ping's answer tells that no more are (section 6.8).
    this.sender.goaway(INT31_MAX, Code.NO_ERROR, '');
    this.sender.ping(DRAIN_PING);
    this.schedule();
  }

  /** The last stream that counts, which never grows again once it was said. */
  #sayGoaway(code: ErrorCode, text: string): void {
    if (this.#lastSaid < 0) this.#lastSaid = this.history.lastId;
    this.sender.goaway(this.#lastSaid, code, text);
  }

  #sayLast(): void {
    this.#goaways = 2;
    this.#sayGoaway(Code.NO_ERROR, '');
    this.schedule();
  }

  /** Ends it now, whatever is open. */
  destroy(code: ErrorCode = Code.NO_ERROR): void {
    if (this.#state === 'open') {
      this.#sayGoaway(code, '');
      this.#close();
      this.#flush();
    }
    this.#socket.destroy();
  }

  #close(): void {
    this.#state = 'closing';
    this.#closingAt = this.clock.now();
    this.sender.clear();
    this.#disposeStreams();
    this.schedule();
  }

  #disposeStreams(): void {
    this.#held.clear();
    this.#full.clear();
    this.#awake.length = 0;
    for (const stream of [...this.streams.values()]) {
      this.streams.delete(stream.id);
      this.wheel.remove(stream);
      stream.dispose();
      stream.onClosed();
    }
  }

  // --- time ---

  /** Everything that gathered in this turn. Of the server. */
  turn(): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'open') {
      for (let i = 0; i < this.#awake.length; i++) if (!this.#awake[i]!.closed) this.#awake[i]!.onWake();
      this.#awake.length = 0;
      this.#runHeld();
    }
    if (this.#socket.full) return;
    this.#flush();
    if (this.#state === 'closing') return this.#socket.end();
    this.#tellDrained();
    this.#maybeFinish();
    const mayRun = this.#held.length > 0 && this.pendingBytes <= this.limits.holdCallsBytes;
    if (mayRun || (this.sender.hasWork && !this.#socket.full)) this.schedule();
  }

  #runHeld(): void {
    while (this.#held.length > 0 && this.pendingBytes <= this.limits.holdCallsBytes) {
      const stream = this.#held.shift();
      if (stream !== undefined && !stream.closed) stream.run();
    }
  }

  #flush(): void {
    if (!this.sender.hasWork) return;
    const { slab } = this.#host;
    slab.begin();
    this.sender.gather(slab);
    const { bytes } = slab;
    if (bytes === 0) return;
    this.#movedBytes += bytes;
    slab.done(this.#socket.write(slab.chunks()));
  }

  /** Lets senders go on that were told to hold back. */
  #tellDrained(): void {
    if (this.#full.size === 0 || this.pendingBytes * 2 > this.limits.connectionPendingBytesMax) return;
    for (const stream of this.#full) {
      if (stream.pendingBytes * 4 > this.limits.streamPendingBytesMax) continue;
      this.#full.delete(stream);
      stream.isFull = false;
      stream.onDrain();
    }
  }

  /** Closes when the last call is over and no other may come. */
  #maybeFinish(): void {
    if (this.streams.size > 0 || this.sender.hasWork || this.#state !== 'open') return;
    if (this.#goaways < 2 && !this.#peerGone) return;
    this.#close();
  }

  /** About once a second. Of the server. */
  tick(now: number): void {
    const { limits } = this;
    if (this.#state === 'closing' && now - this.#closingAt >= LINGER_MS) return this.#socket.destroy();
    if (this.#state !== 'open') return;
    if (this.#goaways === 1 && now - this.#drainAt >= DRAIN_PING_MS) this.#sayLast();
    if (this.#lateBeginning(now) || this.#isStalled(now)) return;
    this.#keepAlive(now);
    if (limits.idleMs > 0 && this.streams.size === 0 && now - this.#idleSince >= limits.idleMs) this.drain();
  }

  #lateBeginning(now: number): boolean {
    const { limits } = this;
    if (!this.#settingsAcked && now - this.#openedAt >= limits.settingsTimeoutMs) {
      this.fail(Code.SETTINGS_TIMEOUT, 'SETTINGS were not acknowledged');
      return true;
    }
    if (!this.#receiver.isHeaderUnfinished) {
      this.#unfinishedSince = -1;
    } else if (this.#unfinishedSince < 0) {
      this.#unfinishedSince = now;
    } else if (now - this.#unfinishedSince >= limits.headerTimeoutMs) {
      this.fail(Code.ENHANCE_YOUR_CALM, 'a header block that does not end');
      return true;
    }
    return false;
  }

  #isStalled(now: number): boolean {
    const moved = this.#movedBytes !== this.#movedBefore;
    this.#movedBefore = this.#movedBytes;
    if (moved || this.pendingBytes <= this.limits.holdCallsBytes) {
      this.#stalledSince = -1;
    } else if (this.#stalledSince < 0) {
      this.#stalledSince = now;
    } else if (now - this.#stalledSince >= this.limits.stallMs) {
      this.fail(Code.ENHANCE_YOUR_CALM, 'answers were not read');
      return true;
    }
    return false;
  }

  #keepAlive(now: number): void {
    const { keepaliveIntervalMs, keepaliveTimeoutMs } = this.limits;
    if (this.#heard) {
      this.#heard = false;
      this.#heardAt = now;
      this.#pingedAt = -1;
    } else if (this.#pingedAt >= 0) {
      if (now - this.#pingedAt >= keepaliveTimeoutMs) this.#socket.destroy();
    } else if (now - this.#heardAt >= keepaliveIntervalMs) {
      this.#pingedAt = now;
      this.sender.ping(KEEPALIVE_PING);
      this.schedule();
    }
  }
}
