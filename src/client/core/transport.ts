import type { Status } from './status.js';

export type Metadata = Readonly<Record<string, string>>;

/**
 * Connections as the core sees them; `grpc-transport.ts` makes real ones, tests and the simulator their own.
 * Contract: no callback comes before the call that took it has returned, and none after `cancel`.
 */
export interface Dialer {
  /** @param endpoint `http://host:port`, `https://host:port`, `unix:path` or plain `host:port` */
  dial(endpoint: string): Connection;
}

/** One endpoint. It connects when it is first used and again after a loss; it never chooses another endpoint. */
export interface Connection {
  unary(path: string, request: Buffer, options: CallOptions, done: UnaryDone): Call;
  stream(path: string, options: CallOptions, handlers: StreamHandlers): Stream;
  /** No new calls. Calls and streams in flight run to their end. */
  close(): void;
}

export interface CallOptions {
  /** From now; 0 is none. The server learns of it. */
  readonly timeoutMs: number;
  readonly metadata: Metadata | null;
}

/** `reply` is null unless the status is OK. The buffer is the callee's to keep. */
export type UnaryDone = (status: Status, reply: Buffer | null) => void;

export interface Call {
  cancel(): void;
}

export interface StreamHandlers {
  message(reply: Buffer): void;
  /** Once, and last. */
  end(status: Status): void;
}

export interface Stream {
  send(request: Buffer): void;
  /** No more requests (half-close). */
  finish(): void;
  cancel(): void;
  /** No more messages (but few that are on their way) until `resume`. */
  pause(): void;
  resume(): void;
}
