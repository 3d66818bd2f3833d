/** How a call ends: gRPC's code, and the text for grpc-message. */
export interface Status {
  readonly code: number;
  readonly message: string;
}

/** One request, one answer. What comes after the call is over is ignored. */
export interface UnaryCall {
  /** The message. No one writes into it again. */
  readonly request: Buffer;
  /** ms on the server's clock; 0: the client set none. The server itself refuses the call when it has passed. */
  readonly deadline: number;
  /** It has been answered, or its client has cancelled it. */
  readonly isOver: boolean;
  /** The client does not take what it was answered before. */
  readonly isHeld: boolean;
  /** Of the connection (Socket). */
  readonly remote: string;
  readonly certificateName: string;
  /** First value of a metadata entry, one char a byte; `name` in lower case. A `-bin` entry comes decoded. */
  metadata(name: string): string | undefined;
  reply(response: Buffer): void;
  /** With a response that lies in pieces. */
  replyParts(parts: readonly Buffer[]): void;
  refuse(status: Status): void;
}

/** One call whose client, server or both send streams of messages. */
export interface StreamCall {
  readonly deadline: number;
  /** Of the connection (Socket). */
  readonly remote: string;
  readonly certificateName: string;
  metadata(name: string): string | undefined;
  /** Asks for one message: one `onMessage` or `onHalfClose` follows, never from within. */
  read(): void;
  /** Always takes the message; false: hold back until `onDrain`. */
  send(message: Buffer): boolean;
  /** Ends the call behind what was sent. A second one is ignored. */
  end(status: Status): void;
}

export interface StreamListener {
  onMessage(message: Buffer): void;
  /** The client sends no more. */
  onHalfClose(): void;
  onDrain(): void;
  /** Once, last: by `end`, by the client, by the deadline or by the connection. */
  onClose(): void;
}

export type GrpcHandler =
  | { readonly kind: 'unary'; onCall(call: UnaryCall): void }
  | { readonly kind: 'stream'; onOpen(call: StreamCall): StreamListener }
  | { readonly kind: 'refused'; readonly status: Status };

/** A request that is no gRPC. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query; empty for CONNECT. */
  readonly target: string;
  readonly scheme: string;
  /** Of :authority or Host; may be empty. */
  readonly authority: string;
  /** Of the connection (Socket). */
  readonly remote: string;
  readonly certificateName: string;
  /** All values, joined with `, ` (for cookies `; `); `name` in lower case. */
  header(name: string): string | undefined;
  /** Names (lower case) and values, in order. */
  headers(): Iterable<readonly [string, string]>;
  /** Asks for a piece of the body: one `onData` or `onEnd` follows, never from within. */
  read(): void;
  /**
   * Begins the answer. Names in lower case; those of a connection (`connection`, `transfer-encoding`, ...) are left out.
   */
  respond(status: number, headers: Iterable<readonly [string, string]>): void;
  /** Always takes the bytes; false: hold back until `onDrain`. */
  write(body: Buffer): boolean;
  end(): void;
}

export interface HttpListener {
  onData(chunk: Buffer): void;
  onEnd(): void;
  onDrain(): void;
  /** Once, last. */
  onClose(): void;
}

export interface Handlers {
  /** @param path the request's :path; asked once for many requests of a client */
  lookup(path: string): GrpcHandler;
  /** Takes what is no gRPC. Without it such requests are answered with 415, as gRPC for Go does. */
  http?(request: HttpRequest): HttpListener;
}
