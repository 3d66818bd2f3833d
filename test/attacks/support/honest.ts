import * as grpc from '@grpc/grpc-js';
import { decode, encode } from '../../support/etcd-proto.js';

const same = (bytes: Buffer): Buffer => bytes;
const PAUSE_MS = 20;

export interface Latencies {
  readonly calls: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly worstMs: number;
}

/**
 * A client that means well while others do not: it puts, reads what it put, hears of it by a watch, and keeps a lease
 * alive, one after the other, and takes down how long each took.
 */
export class Honest {
  readonly #client: grpc.Client;
  readonly #metadata = new grpc.Metadata();
  readonly #times: number[] = [];
  readonly #heard = new Map<string, () => void>();
  readonly #watch: grpc.ClientDuplexStream<Buffer, Buffer>;
  readonly #keeper: grpc.ClientDuplexStream<Buffer, Buffer>;
  #kept: ((ttl: number) => void) | null = null;
  #lease = '0';
  #count = 0;
  #running: Promise<void> | null = null;
  #stop = false;
  #failed: Error | null = null;

  private constructor(endpoint: string, credentials: grpc.ChannelCredentials, token: string) {
    this.#client = new grpc.Client(endpoint, credentials, {
      'grpc.enable_retries': 0,
      'grpc.use_local_subchannel_pool': 1,
    });
    if (token !== '') this.#metadata.set('token', token);
    this.#watch = this.#stream('Watch/Watch');
    this.#keeper = this.#stream('Lease/LeaseKeepAlive');
  }

  static async start(endpoint: string, credentials = grpc.credentials.createInsecure(), token = ''): Promise<Honest> {
    const honest = new Honest(endpoint, credentials, token);
    await honest.#open();
    return honest;
  }

  async #open(): Promise<void> {
    this.#watch.on('data', (body: Buffer) => {
      for (const event of decode('WatchResponse', body).events) this.#heard.get(event.kv.value.toString())?.();
    });
    this.#keeper.on('data', (body: Buffer) => this.#kept?.(Number(decode('LeaseKeepAliveResponse', body).TTL)));
    this.#watch.write(encode('WatchRequest', { create_request: { key: Buffer.from('honest') } }));
    const granted = await this.#call('Lease/LeaseGrant', 'LeaseGrantRequest', 'LeaseGrantResponse', { TTL: 60 });
    this.#lease = granted.ID;
    this.#running = this.#run().catch((err: Error) => {
      this.#failed = err;
    });
  }

  #stream(path: string): grpc.ClientDuplexStream<Buffer, Buffer> {
    const stream = this.#client.makeBidiStreamRequest(`/etcdserverpb.${path}`, same, same, this.#metadata, {});
    stream.on('error', (err: grpc.ServiceError) => {
      if (!this.#stop) this.#failed ??= new Error(`${path}: ${err.message}`);
    });
    return stream;
  }

  #call(method: string, request: string, reply: string, value: Record<string, unknown>): Promise<any> {
    return new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + 15_000 };
      const path = `/etcdserverpb.${method}`;
      this.#client.makeUnaryRequest(path, same, same, encode(request, value), this.#metadata, options, (err, body) => {
        // The rules changed between the question who he is and the write: he asks again, as clients do.
        if (err?.details.includes('revision of auth store is old')) {
          this.#call(method, request, reply, value).then(resolve, reject);
        } else if (err) reject(new Error(`${method}: ${err.message}`));
        else resolve(decode(reply, body as Buffer));
      });
    });
  }

  async #run(): Promise<void> {
    while (!this.#stop) {
      const value = `v${this.#count++}`;
      const heard = new Promise<void>((resolve) => this.#heard.set(value, resolve));
      await this.#timed(() =>
        this.#call('KV/Put', 'PutRequest', 'PutResponse', {
          key: Buffer.from('honest'),
          value: Buffer.from(value),
          lease: this.#lease,
        }),
      );
      await this.#timed(() => within(heard, 'the watch'));
      this.#heard.delete(value);
      const { kvs } = await this.#timed(() =>
        this.#call('KV/Range', 'RangeRequest', 'RangeResponse', { key: Buffer.from('honest') }),
      );
      if (kvs[0]?.value.toString() !== value) throw new Error(`${kvs[0]?.value} was read where ${value} was put`);
      await this.#timed(async () => {
        const kept = new Promise<number>((resolve) => {
          this.#kept = resolve;
        });
        this.#keeper.write(encode('LeaseKeepAliveRequest', { ID: this.#lease }));
        if ((await within(kept, 'the lease')) === 0) throw new Error('the lease has expired');
      });
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  async #timed<T>(action: () => Promise<T>): Promise<T> {
    const start = performance.now();
    const result = await action();
    this.#times.push(performance.now() - start);
    return result;
  }

  /** What it saw since this was asked before. @throws what it could not do */
  latencies(): Latencies {
    if (this.#failed !== null) throw this.#failed;
    const times = this.#times.splice(0).sort((a, b) => a - b);
    return {
      calls: times.length,
      medianMs: Math.round(times[times.length >> 1] ?? 0),
      p99Ms: Math.round(times[Math.floor(times.length * 0.99)] ?? 0),
      worstMs: Math.round(times.at(-1) ?? 0),
    };
  }

  async stop(): Promise<Latencies> {
    this.#stop = true;
    await this.#running;
    this.#watch.cancel();
    this.#keeper.cancel();
    this.#client.close();
    return this.latencies();
  }
}

function within<T>(promise: Promise<T>, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what} is silent`)), 15_000);
    promise.then((value) => {
      clearTimeout(timer);
      resolve(value);
    }, reject);
  });
}
