import { AuthService } from './auth.js';
import type { Bytes } from './bytes.js';
import type { CallOptions } from './caller.js';
import { Caller } from './caller.js';
import { ClusterService } from './cluster.js';
import { ClientCore } from './core/client-core.js';
import type { Balance } from './core/endpoints.js';
import type { ClientEnv } from './core/env.js';
import type { Dialer } from './core/transport.js';
import type { TlsOptions } from './grpc-transport.js';
import { GrpcDialer, REQUEST_BYTES_MAX } from './grpc-transport.js';
import { KvService } from './kv.js';
import { LeaseService } from './lease.js';
import { MaintenanceService } from './maintenance.js';
import { nodeEnv } from './node-env.js';
import type { DeleteOptions, GetOptions, PutOptions, TxnSpec } from './ops.js';
import type { DeleteResult, Header, PutResult, RangeResult, TxnResult } from './results.js';
import type { WatchOptions } from './watch.js';
import { Watch } from './watch.js';

export interface KeelClientOptions {
  /** Members to speak to: `http://host:port`, `https://host:port`, `unix:path` or `host:port`. At least one. */
  readonly endpoints: string | readonly string[];
  /** How long a connection may take to come about, in ms. Default 2000. */
  readonly dialTimeoutMs?: number;
  /** Of a call with all its retries, in ms; 0 is none. Default 10,000, a little more than a server's own. */
  readonly requestTimeoutMs?: number;
  /** A ping goes out on a connection with open calls after so much silence, in ms; etcd bears no less than 5000. Default 6000. */
  readonly keepaliveTimeMs?: number;
  /** Without an answer to the ping for so long the connection is given up, in ms. Default 3000. */
  readonly keepaliveTimeoutMs?: number;
  /** Requests beyond this are not sent, in bytes. Default 2 MiB, etcd's limit. */
  readonly maxRequestBytes?: number;
  /** Answers beyond this are refused, in bytes. Default 2 GiB. */
  readonly maxReceiveBytes?: number;
  /** Each call to the next member (default), or all to one until it fails. */
  readonly balance?: Balance;
  /** Name and password; calls then carry a token. */
  readonly auth?: { readonly name: string; readonly password: string };
  /** For https endpoints. */
  readonly tls?: TlsOptions;
  /**
   * Ask for the progress of quiet watches this often, in ms, so that they can be taken up again behind a compaction.
   * Default 0: never.
   */
  readonly watchProgressIntervalMs?: number;
  /** For tests and simulation: another environment and other connections. */
  readonly env?: ClientEnv;
  readonly dialer?: Dialer;
}

/**
 * A client of Keel, or of any etcd v3.
 *
 *   const client = new KeelClient({ endpoints: ['127.0.0.1:2379', '127.0.0.1:22379'] });
 *   await client.put('greeting', 'hello');
 *   const { kvs } = await client.get('greeting');
 *   await client.close();
 *
 * Nothing is connected before the first call. Every call rejects with a KeelError.
 */
export class KeelClient {
  readonly kv: KvService;
  readonly lease: LeaseService;
  readonly cluster: ClusterService;
  readonly maintenance: MaintenanceService;
  readonly auth: AuthService;
  /** One call by its path and codec, with the client's retries: for what the services above do not offer. */
  readonly caller: Caller;
  readonly #core: ClientCore;

  constructor(options: KeelClientOptions) {
    const endpoints = typeof options.endpoints === 'string' ? options.endpoints.split(',') : options.endpoints;
    if (endpoints.length === 0) throw new TypeError('a client needs an endpoint');
    const requestTimeoutMs = options.requestTimeoutMs ?? 10_000;
    const dialTimeoutMs = options.dialTimeoutMs ?? 2000;
    const dialer =
      options.dialer ??
      new GrpcDialer({
        dialTimeoutMs,
        keepaliveTimeMs: options.keepaliveTimeMs ?? 6000,
        keepaliveTimeoutMs: options.keepaliveTimeoutMs ?? 3000,
        requestBytesMax: options.maxRequestBytes ?? REQUEST_BYTES_MAX,
        ...(options.maxReceiveBytes === undefined ? {} : { receiveBytesMax: options.maxReceiveBytes }),
        tls: options.tls ?? null,
      });
    this.#core = new ClientCore(options.env ?? nodeEnv(), dialer, {
      endpoints,
      balance: options.balance ?? 'round-robin',
      credentials: options.auth ?? null,
      authTimeoutMs: dialTimeoutMs + 3000,
      progressRequestMs: options.watchProgressIntervalMs ?? 0,
    });
    const caller = new Caller(this.#core, requestTimeoutMs);
    this.caller = caller;
    this.kv = new KvService(caller);
    this.lease = new LeaseService(caller);
    this.cluster = new ClusterService(caller);
    this.maintenance = new MaintenanceService(caller);
    this.auth = new AuthService(caller);
  }

  /** As KvService.put. */
  put(key: Bytes, value: Bytes, options?: PutOptions & CallOptions): Promise<PutResult> {
    return this.kv.put(key, value, options);
  }

  /** As KvService.get. */
  get(key: Bytes, options?: GetOptions & CallOptions): Promise<RangeResult> {
    return this.kv.get(key, options);
  }

  /** As KvService.delete. */
  delete(key: Bytes, options?: DeleteOptions & CallOptions): Promise<DeleteResult> {
    return this.kv.delete(key, options);
  }

  /** As KvService.txn. */
  txn(txn: TxnSpec, options?: CallOptions & { readonly idempotent?: boolean }): Promise<TxnResult> {
    return this.kv.txn(txn, options);
  }

  /** As KvService.compact. */
  compact(revision: number, options?: CallOptions & { readonly physical?: boolean }): Promise<{ header: Header }> {
    return this.kv.compact(revision, options);
  }

  /** Events of keys, from a revision on, over all changes of members. */
  watch(key: Bytes, options: WatchOptions = {}): Watch {
    return new Watch(this.#core.watches(options.requireLeader ?? true), key, options);
  }

  get endpoints(): string[] {
    return this.#core.endpoints.urls();
  }

  /** Sets the members to speak to; connections to those that stay are kept. */
  setEndpoints(endpoints: readonly string[]): void {
    if (endpoints.length === 0) throw new TypeError('a client needs an endpoint');
    this.#core.endpoints.update(endpoints);
  }

  /** Takes the endpoints from the cluster's own list of members: client URLs of all voters that have started. */
  async sync(options?: CallOptions): Promise<void> {
    const { members } = await this.cluster.memberList(options);
    const urls = members.filter((m) => !m.isLearner).flatMap((m) => m.clientUrls);
    if (urls.length > 0) this.setEndpoints(urls);
  }

  /** Ends calls, watches and keepalives with ERR_CANCELED, and closes the connections. */
  async close(): Promise<void> {
    this.#core.close();
  }
}
