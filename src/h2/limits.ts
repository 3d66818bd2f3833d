/** What a server allows. Bytes and milliseconds; every field has a default below. */
export interface Limits {
  /** Largest gRPC message from a client, decompressed. */
  readonly messageBytesMax: number;
  /** Calls at once on a connection; 0: not told to clients, and bounded by memory's sake only. */
  readonly concurrentStreamsMax: number;
  /** SETTINGS_MAX_HEADER_LIST_SIZE. A request beyond it is answered with 431. */
  readonly headerListBytesMax: number;
  /** A header block before it is decoded, and the frames it may come in. Beyond, the connection ends. */
  readonly headerBlockBytesMax: number;
  readonly headerFramesMax: number;
  /** Windows that clients get. */
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  /** Bytes that may lie unread for streams that do not ask for them; beyond, the connection's window is not renewed. */
  readonly unreadBytesMax: number;
  /** Bytes of messages that are not complete, over all calls of a connection; beyond, the call is refused. */
  readonly partialBytesMax: number;
  /** Bytes waiting to be sent of one stream, and of one connection, above which `send` says false. */
  readonly streamPendingBytesMax: number;
  readonly connectionPendingBytesMax: number;
  /**
   * Bytes waiting to be sent on a connection above which its next calls wait too; and how long it may stay so, or may
   * take nothing of what was written to its socket, before it is closed.
   */
  readonly holdCallsBytes: number;
  readonly stallMs: number;
  /** What all connections of a server may keep in all: thinOut. */
  readonly serverBytesMax: number;
  /** Control frames' bytes waiting for a client that does not read. Beyond, the connection ends. */
  readonly controlBytesMax: number;
  /** For SETTINGS to be acknowledged; for the first SETTINGS, a frame or a header block to come to its end. */
  readonly settingsTimeoutMs: number;
  readonly headerTimeoutMs: number;
  /** A connection without calls is closed after so long; 0: never. */
  readonly idleMs: number;
  /** Our pings, after so long without a byte from the client, and how long an answer may take. */
  readonly keepaliveIntervalMs: number;
  readonly keepaliveTimeoutMs: number;
  /** A client's pings: nearer together is a strike, with a call open and without one. */
  readonly pingMinMs: number;
  readonly pingMinIdleMs: number;
  /** Frames that bring nothing forward, at once and per second. */
  readonly idleFramesMax: number;
  readonly idleFramesPerSecond: number;
  /** Calls that a client may cancel beyond those that it lets come to their end, at once and per second. */
  readonly resetsMax: number;
  readonly resetsPerSecond: number;
}

const TWO_HOURS_MS = 2 * 60 * 60 * 1000;

/** Keepalive and pings as etcd has them (etcd wire §1); the rest is ours. */
export const LIMITS: Limits = {
  messageBytesMax: 2 << 20,
  concurrentStreamsMax: 0,
  headerListBytesMax: 64 << 10,
  headerBlockBytesMax: 64 << 10,
  headerFramesMax: 16,
  streamWindowBytes: 1 << 20,
  connectionWindowBytes: 8 << 20,
  unreadBytesMax: 16 << 20,
  partialBytesMax: 256 << 20,
  streamPendingBytesMax: 256 << 10,
  connectionPendingBytesMax: 8 << 20,
  holdCallsBytes: 16 << 20,
  stallMs: 60_000,
  serverBytesMax: 512 << 20,
  controlBytesMax: 64 << 10,
  settingsTimeoutMs: 10_000,
  headerTimeoutMs: 10_000,
  idleMs: 0,
  keepaliveIntervalMs: TWO_HOURS_MS,
  keepaliveTimeoutMs: 20_000,
  pingMinMs: 5_000,
  pingMinIdleMs: TWO_HOURS_MS,
  idleFramesMax: 1_000,
  idleFramesPerSecond: 100,
  resetsMax: 2_000,
  resetsPerSecond: 200,
};

/** What an open call costs, about, beside its messages. */
export const STREAM_BYTES = 1 << 10;

/** Streams of a connection where no limit is set: a call costs about a kilobyte before its handler knows of it. */
export const STREAMS_MAX = 1 << 20;
