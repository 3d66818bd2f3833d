import * as http2 from 'node:http2';
import { gunzipSync } from 'node:zlib';

/** What came back of one call, as the wire had it. */
export interface Answer {
  http: number;
  code: number;
  message: string;
  messages: Buffer[];
}

/** A message with its five bytes in front. */
export function framed(message: Buffer, compressed = 0): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(compressed, 0);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** gRPC with nothing between the test and the frames' contents: any path, any bytes, any header. */
export class H2Client {
  readonly #endpoint: string;
  readonly #open = new Set<http2.ClientHttp2Stream>();
  #session: http2.ClientHttp2Session;

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
    this.#session = this.#connect();
  }

  #connect(): http2.ClientHttp2Session {
    const session = http2.connect(`http://${this.#endpoint}`);
    session.on('error', () => {});
    return session;
  }

  get session(): http2.ClientHttp2Session {
    return this.#session;
  }

  /**
   * Cancels what is open and closes the connection when that is told: a session of Node 20 that is destroyed under its
   * streams may write RST_STREAM for ever.
   */
  close(): void {
    for (const stream of this.#open) stream.close(http2.constants.NGHTTP2_CANCEL);
    this.#session.close();
  }

  /** Sends one message and waits for the end. */
  unary(path: string, message: Buffer, headers: http2.OutgoingHttpHeaders = {}): Promise<Answer> {
    return this.raw(path, framed(message), headers);
  }

  /** Sends these bytes as the whole body. */
  async raw(path: string, body: Buffer, headers: http2.OutgoingHttpHeaders = {}): Promise<Answer> {
    const stream = this.stream(path, headers);
    stream.endWith(body);
    return stream.ended;
  }

  stream(path: string, headers: http2.OutgoingHttpHeaders = {}): H2Stream {
    if (this.#session.destroyed || this.#session.closed) this.#session = this.#connect();
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    this.#open.add(stream);
    stream.on('close', () => this.#open.delete(stream));
    return new H2Stream(stream);
  }
}

export class H2Stream {
  readonly ended: Promise<Answer>;
  readonly #stream: http2.ClientHttp2Stream;
  readonly #messages: Buffer[] = [];
  readonly #waiting: ((message: Buffer | null) => void)[] = [];
  #read = 0;
  #rest: Buffer = Buffer.alloc(0);
  #over = false;

  constructor(stream: http2.ClientHttp2Stream) {
    this.#stream = stream;
    let http = 0;
    let status: http2.IncomingHttpHeaders = {};
    stream.on('response', (headers) => {
      http = Number(headers[':status']);
      if (headers['grpc-status'] !== undefined) status = headers;
    });
    stream.on('trailers', (headers) => {
      status = headers;
    });
    // The server is through with the call, whether we are or not.
    stream.on('end', () => stream.end());
    stream.on('data', (chunk: Buffer) => this.#data(chunk));
    stream.on('error', () => {});
    this.ended = new Promise((resolve) => {
      stream.on('close', () => {
        this.#over = true;
        for (const wait of this.#waiting.splice(0)) wait(null);
        const message = decodeURIComponent(String(status['grpc-message'] ?? ''));
        resolve({ http, code: Number(status['grpc-status'] ?? -1), message, messages: this.#messages });
      });
    });
  }

  send(message: Buffer): void {
    this.#stream.write(framed(message));
  }

  halfClose(): void {
    this.#stream.end();
  }

  endWith(body: Buffer): void {
    this.#stream.end(body);
  }

  cancel(): void {
    this.#stream.close(http2.constants.NGHTTP2_CANCEL);
  }

  /** Stops taking data, so that flow control holds the server back. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** The next message; null when the call is over, 'silence' if nothing came in time. */
  next(ms = 5000): Promise<Buffer | null | 'silence'> {
    const message = this.#messages[this.#read];
    if (message !== undefined) {
      this.#read++;
      return Promise.resolve(message);
    }
    if (this.#over) return Promise.resolve(null);
    return new Promise((resolve) => {
      const wait = (arrived: Buffer | null): void => {
        clearTimeout(timer);
        if (arrived !== null) this.#read++;
        resolve(arrived);
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(wait), 1);
        resolve('silence');
      }, ms);
      this.#waiting.push(wait);
    });
  }

  #data(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 5 && this.#rest.length >= 5 + this.#rest.readUInt32BE(1)) {
      const end = 5 + this.#rest.readUInt32BE(1);
      const body = this.#rest.subarray(5, end);
      // etcd answers in the encoding of the request.
      const message = this.#rest[0] === 1 ? gunzipSync(body) : Buffer.from(body);
      this.#rest = this.#rest.subarray(end);
      this.#messages.push(message);
      this.#waiting.shift()?.(message);
    }
  }
}
