/** A connection's bytes, in both directions: a socket, TLS or a test. */
export interface Socket {
  /**
   * Sends the chunks, one after the other, with one system call where that can be. It takes them all.
   * @returns true: they are out of our hands, and their memory may be written to again
   */
  write(chunks: readonly Buffer[]): boolean;
  /** It holds more than it should: write when `onDrain` says so. */
  readonly full: boolean;
  /** Sends what is written, and no more. The other side may go on sending. */
  end(): void;
  destroy(): void;
  /** host:port of the other side; '' where there is none (a test, a unix socket). */
  readonly remote?: string;
  /** Common name of the other side's certificate, where one was asked for and is verified; '' for none. */
  readonly certificateName?: string;
  /** Once, before anything else. `onData` is never called from within. */
  listen(listener: SocketListener): void;
}

export interface SocketListener {
  onData(chunk: Buffer): void;
  onDrain(): void;
  /** The other side sends no more. */
  onEnd(): void;
  /** Once, last. */
  onClose(): void;
}
