import * as grpc from '@grpc/grpc-js';
import type { Codec, Rpc } from '../../../src/wire/index.js';
import { Auth, Watch, WatchRequest, WatchResponse } from '../../../src/wire/index.js';

export type Outcome<Res> = { readonly ok: true; readonly value: Res } | { readonly ok: false; readonly text: string };

/** A plain gRPC client of one member that says who it is, call by call. */
export class AuthCaller {
  readonly #client: grpc.Client;
  /** By user. */
  readonly #tokens = new Map<string, string>();

  /** @param endpoint host:port */
  constructor(endpoint: string, credentials = grpc.credentials.createInsecure()) {
    this.#client = new grpc.Client(endpoint, credentials, {
      'grpc.enable_retries': 0,
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  close(): void {
    this.#client.close();
  }

  /** Makes `user` known to later calls, with a token as of now. */
  async login(user: string, password: string): Promise<string> {
    const outcome = await this.call(Auth.Authenticate, { name: user, password });
    if (!outcome.ok) return outcome.text;
    this.#tokens.set(user, outcome.value.token);
    return 'OK';
  }

  tokenOf(user: string): string | undefined {
    return this.#tokens.get(user);
  }

  /** @param user one who has logged in; `token:...` a token as it is; null: nobody */
  async call<Req, Res>(rpc: Rpc<Req, Res>, request: Partial<Req>, user: string | null = null): Promise<Outcome<Res>> {
    const metadata = this.#metadata(user);
    const bytes = encode(rpc.request, request);
    return new Promise((done) => {
      if (rpc.serverStreaming) {
        const stream = this.#client.makeServerStreamRequest(rpc.path, same, same, bytes, metadata, deadline());
        const messages: Buffer[] = [];
        stream.on('data', (message: Buffer) => messages.push(message));
        stream.on('error', (err: grpc.ServiceError) => done({ ok: false, text: textOf(err) }));
        stream.on('end', () => {
          const [first] = messages;
          if (first !== undefined) done({ ok: true, value: rpc.response.decode(first) });
        });
        return;
      }
      this.#client.makeUnaryRequest(rpc.path, same, same, bytes, metadata, deadline(), (err, reply) => {
        if (err !== null) done({ ok: false, text: textOf(err) });
        else done({ ok: true, value: rpc.response.decode(reply!) });
      });
    });
  }

  /** Sends one message on a stream and gives back the first that comes, or how it ended. */
  first<Req, Res>(rpc: Rpc<Req, Res>, request: Partial<Req>, user: string | null): Promise<Outcome<Res>> {
    return new Promise((done) => {
      const stream = this.#client.makeBidiStreamRequest(rpc.path, same, same, this.#metadata(user), deadline());
      stream.on('data', (message: Buffer) => {
        done({ ok: true, value: rpc.response.decode(message) });
        stream.cancel();
      });
      stream.on('error', (err: grpc.ServiceError) => done({ ok: false, text: textOf(err) }));
      stream.on('end', () => done({ ok: false, text: 'ended' }));
      stream.write(encode(rpc.request, request));
    });
  }

  /** An open watch stream, whose responses come one by one. */
  watch(user: string | null): WatchTap {
    const stream = this.#client.makeBidiStreamRequest(Watch.Watch.path, same, same, this.#metadata(user), {});
    return new WatchTap(stream);
  }

  #metadata(user: string | null): grpc.Metadata {
    const metadata = new grpc.Metadata();
    if (user === null) return metadata;
    const token = user.startsWith('token:') ? user.slice(6) : this.#tokens.get(user);
    if (token === undefined) throw new Error(`${user} has not logged in`);
    metadata.set('token', token);
    return metadata;
  }
}

export class WatchTap {
  readonly #stream: grpc.ClientDuplexStream<Buffer, Buffer>;
  readonly #got: WatchResponse[] = [];
  #wake: (() => void) | null = null;

  constructor(stream: grpc.ClientDuplexStream<Buffer, Buffer>) {
    this.#stream = stream;
    stream.on('data', (message: Buffer) => {
      this.#got.push(WatchResponse.decode(message));
      this.#wake?.();
    });
    stream.on('error', () => {});
  }

  send(request: Partial<WatchRequest>): void {
    this.#stream.write(encode(WatchRequest, request));
  }

  /** The next response; undefined if none comes in time. */
  async next(timeoutMs = 3000): Promise<WatchResponse | undefined> {
    if (this.#got.length === 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((done) => {
        this.#wake = done;
        timer = setTimeout(done, timeoutMs);
      });
      clearTimeout(timer);
      this.#wake = null;
    }
    return this.#got.shift();
  }

  close(): void {
    this.#stream.cancel();
  }
}

function encode<M>(codec: Codec<M>, fields: Partial<M>): Buffer {
  return codec.encode(codec.make(fields) as never);
}

const same = (bytes: Buffer): Buffer => bytes;

function deadline(): grpc.CallOptions {
  return { deadline: Date.now() + 8000 };
}

/** `7 etcdserver: permission denied` */
export function textOf(err: { code: number; details: string }): string {
  return `${err.code} ${err.details}`;
}
