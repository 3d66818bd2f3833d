import * as grpc from '@grpc/grpc-js';
import type {
  CompareOp,
  InnerOp,
  InnerResponse,
  Kv,
  KvEvent,
  LogRevision,
  Op,
  Response,
  SimpleOp,
  SimpleResponse,
  TxnOp,
} from '../../src/sim/checkers/index.js';
import type { Decoded } from './etcd-proto.js';
import { decode, encode } from './etcd-proto.js';

/** An error as the wire had it. */
export interface WireError {
  code: grpc.status;
  message: string;
}

export type Result<T> = { ok: true; value: T } | { ok: false; error: WireError };

export interface Status {
  memberId: string;
  clusterId: string;
  /** '0' for none. */
  leader: string;
  revision: number;
  raftTerm: number;
  raftIndex: number;
  raftAppliedIndex: number;
  version: string;
  dbSize: number;
  dbSizeInUse: number;
  errors: string[];
}

export interface WatchHandlers {
  created?(revision: number): void;
  /** Events of one response (empty: progress), with the header's revision. */
  batch(revision: number, events: (KvEvent & { prev: Kv | null })[], fragment: boolean): void;
  canceled?(compactRevision: number, reason: string): void;
  /** The stream broke; nothing comes any more. */
  end(error: WireError): void;
}

export interface WatchOptions {
  key: string;
  rangeEnd: string;
  startRevision: number;
  prev?: boolean;
  progressNotify?: boolean;
  fragment?: boolean;
}

const bytes = (value: Buffer) => value;

/**
 * A plain gRPC client of exactly one member: no failover, no retry, so that a test knows who answered. It speaks the
 * operations of the checkers' history.
 */
export class RawClient {
  readonly endpoint: string;
  readonly #client: grpc.Client;

  constructor(endpoint: string) {
    this.endpoint = endpoint;
    this.#client = new grpc.Client(endpoint, grpc.credentials.createInsecure(), {
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.min_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': 250,
      'grpc.enable_retries': 0,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
    });
  }

  close(): void {
    this.#client.close();
  }

  call(
    method: string,
    request: string,
    reply: string,
    value: Record<string, unknown>,
    ms: number,
  ): Promise<Result<Decoded>> {
    const path = `/etcdserverpb.${method}`;
    return new Promise((resolve) => {
      const options = { deadline: Date.now() + ms };
      this.#client.makeUnaryRequest(
        path,
        bytes,
        bytes,
        encode(request, value),
        new grpc.Metadata(),
        options,
        (err, body) => {
          if (err) resolve({ ok: false, error: { code: err.code, message: err.details } });
          else resolve({ ok: true, value: decode(reply, body!) });
        },
      );
    });
  }

  /** Runs one operation of the history types against this member. */
  async run(op: Op, ms = 2000): Promise<Result<Response>> {
    switch (op.kind) {
      case 'put':
        return map(await this.call('KV/Put', 'PutRequest', 'PutResponse', putRequest(op), ms), putResponse);
      case 'range':
        return map(await this.call('KV/Range', 'RangeRequest', 'RangeResponse', rangeRequest(op), ms), rangeResponse);
      case 'delete': {
        const request = deleteRequest(op);
        const result = await this.call('KV/DeleteRange', 'DeleteRangeRequest', 'DeleteRangeResponse', request, ms);
        return map(result, deleteResponse);
      }
      case 'txn': {
        return map(await this.call('KV/Txn', 'TxnRequest', 'TxnResponse', txnRequest(op), ms), (r) => ({
          kind: 'txn',
          revision: Number(r.header.revision),
          succeeded: r.succeeded,
          responses: r.responses.map(responseOp),
        }));
      }
      case 'grant': {
        const request = { TTL: Math.ceil(op.ttl / 1e6), ID: op.lease };
        const result = await this.call('Lease/LeaseGrant', 'LeaseGrantRequest', 'LeaseGrantResponse', request, ms);
        return map(result, (r) => ({ kind: 'lease', revision: Number(r.header.revision), ttl: Number(r.TTL) }));
      }
      case 'revoke': {
        const request = { ID: op.lease };
        const result = await this.call('Lease/LeaseRevoke', 'LeaseRevokeRequest', 'LeaseRevokeResponse', request, ms);
        return map(result, (r) => ({ kind: 'lease', revision: Number(r.header.revision), ttl: 0 }));
      }
      case 'keepalive':
        return this.keepAlive(op.lease, ms);
      case 'log':
        throw new Error('readLog reads a log');
    }
  }

  /** One renewal on a stream of its own. */
  keepAlive(lease: string, ms = 2000): Promise<Result<Response>> {
    return new Promise((resolve) => {
      const stream = this.#client.makeBidiStreamRequest(
        '/etcdserverpb.Lease/LeaseKeepAlive',
        bytes,
        bytes,
        new grpc.Metadata(),
        {
          deadline: Date.now() + ms,
        },
      );
      stream.on('data', (body: Buffer) => {
        const r = decode('LeaseKeepAliveResponse', body);
        resolve({ ok: true, value: { kind: 'lease', revision: Number(r.header.revision), ttl: Number(r.TTL) } });
        stream.end();
      });
      stream.on('error', (err: grpc.ServiceError) =>
        resolve({ ok: false, error: { code: err.code, message: err.details } }),
      );
      stream.on('end', () =>
        resolve({ ok: false, error: { code: grpc.status.UNKNOWN, message: 'ended without an answer' } }),
      );
      stream.write(encode('LeaseKeepAliveRequest', { ID: lease }));
    });
  }

  async status(ms = 1000): Promise<Result<Status>> {
    return map(await this.call('Maintenance/Status', 'StatusRequest', 'StatusResponse', {}, ms), (r) => ({
      memberId: r.header.member_id,
      clusterId: r.header.cluster_id,
      leader: r.leader,
      revision: Number(r.header.revision),
      raftTerm: Number(r.raftTerm),
      raftIndex: Number(r.raftIndex),
      raftAppliedIndex: Number(r.raftAppliedIndex),
      version: r.version,
      dbSize: Number(r.dbSize),
      dbSizeInUse: Number(r.dbSizeInUse),
      errors: r.errors,
    }));
  }

  async hashKv(
    revision: number,
    ms = 5000,
  ): Promise<Result<{ hash: number; compactRevision: number; revision: number }>> {
    const result = await this.call('Maintenance/HashKV', 'HashKVRequest', 'HashKVResponse', { revision }, ms);
    return map(result, (r) => ({
      hash: r.hash,
      compactRevision: Number(r.compact_revision),
      revision: Number(r.header.revision),
    }));
  }

  /** Opens a stream with one watcher. @returns what ends it */
  watch(options: WatchOptions, handlers: WatchHandlers): () => void {
    const stream = this.#client.makeBidiStreamRequest('/etcdserverpb.Watch/Watch', bytes, bytes, new grpc.Metadata());
    stream.on('data', (body: Buffer) => {
      const r = decode('WatchResponse', body);
      const revision = Number(r.header.revision);
      if (r.created) handlers.created?.(revision);
      if (r.canceled) handlers.canceled?.(Number(r.compact_revision), r.cancel_reason);
      if (!r.created && !r.canceled) handlers.batch(revision, r.events.map(watchEvent), r.fragment);
    });
    stream.on('error', (err: grpc.ServiceError) => handlers.end({ code: err.code, message: err.details }));
    const { key, rangeEnd, startRevision, prev = false, progressNotify = false, fragment = false } = options;
    const create_request = {
      key: binary(key),
      range_end: binary(rangeEnd),
      start_revision: startRevision,
      prev_kv: prev,
      progress_notify: progressNotify,
      fragment,
    };
    stream.write(encode('WatchRequest', { create_request }));
    return () => stream.cancel();
  }

  /** Every event from `start` to `end`, as a watch over all keys replays it. */
  readLog(start: number, end: number, ms = 30_000): Promise<LogRevision[]> {
    return new Promise((resolve, reject) => {
      const log: LogRevision[] = [];
      const fail = (text: string) => {
        clearTimeout(timer);
        stop();
        reject(new Error(`reading the log ${start}..${end} of ${this.endpoint}: ${text}, had ${log.length} revisions`));
      };
      const timer = setTimeout(() => fail('timed out'), ms);
      const stop = this.watch(
        { key: '\0', rangeEnd: '\0', startRevision: start },
        {
          batch: (_, events) => {
            for (const { type, kv } of events) {
              // One response may hold what came after the end as well: a lease that expired meanwhile.
              if (kv.mod > end) continue;
              const last = log.at(-1);
              if (last?.revision === kv.mod) last.events.push({ type, kv });
              else log.push({ revision: kv.mod, events: [{ type, kv }] });
            }
            if ((log.at(-1)?.revision ?? 0) < end) return;
            clearTimeout(timer);
            stop();
            resolve(log);
          },
          canceled: (compacted, reason) => fail(`canceled (${compacted}) ${reason}`),
          end: (err) => fail(err.message),
        },
      );
      if (end < start) {
        clearTimeout(timer);
        stop();
        resolve(log);
      }
    });
  }
}

function map<A, B>(result: Result<A>, f: (value: A) => B): Result<B> {
  return result.ok ? { ok: true, value: f(result.value) } : result;
}

/** Empty bytes are left out, not sent as an empty field: to etcd a range_end that is there but empty is an open end. */
const binary = (text: string) => (text === '' ? undefined : Buffer.from(text, 'latin1'));

function toKv(kv: Decoded): Kv {
  return {
    key: kv.key.toString('latin1'),
    value: kv.value.toString('latin1'),
    create: Number(kv.create_revision),
    mod: Number(kv.mod_revision),
    version: Number(kv.version),
    lease: kv.lease,
  };
}

function watchEvent(event: Decoded): KvEvent & { prev: Kv | null } {
  return {
    type: event.type === 1 ? 'delete' : 'put',
    kv: toKv(event.kv),
    prev: event.prev_kv ? toKv(event.prev_kv) : null,
  };
}

function putRequest(op: SimpleOp & { kind: 'put' }): Record<string, unknown> {
  return { key: binary(op.key), value: binary(op.value), lease: op.lease, prev_kv: op.prev };
}

function rangeRequest(op: SimpleOp & { kind: 'range' }): Record<string, unknown> {
  const { revision, serializable } = op;
  return { key: binary(op.key), range_end: binary(op.rangeEnd), revision, serializable };
}

function deleteRequest(op: SimpleOp & { kind: 'delete' }): Record<string, unknown> {
  return { key: binary(op.key), range_end: binary(op.rangeEnd), prev_kv: op.prev };
}

function requestOp(op: InnerOp): Record<string, unknown> {
  switch (op.kind) {
    case 'txn':
      return { request_txn: txnRequest(op) };
    case 'put':
      return { request_put: putRequest(op) };
    case 'range':
      return { request_range: rangeRequest(op) };
    case 'delete':
      return { request_delete_range: deleteRequest(op) };
  }
}

const RESULTS = { '=': 0, '>': 1, '<': 2, '!=': 3 };
const TARGETS = { version: 0, create: 1, mod: 2, value: 3 };
const UNIONS = { version: 'version', create: 'create_revision', mod: 'mod_revision', value: 'value' };

function compareRequest({ key, target, result, operand }: CompareOp): Record<string, unknown> {
  const value = typeof operand === 'string' ? binary(operand) : operand;
  return { key: binary(key), result: RESULTS[result], target: TARGETS[target], [UNIONS[target]]: value };
}

function putResponse(r: Decoded): SimpleResponse {
  return { kind: 'put', revision: Number(r.header.revision), prev: r.prev_kv ? toKv(r.prev_kv) : null };
}

function rangeResponse(r: Decoded): SimpleResponse {
  return { kind: 'range', revision: Number(r.header.revision), kvs: r.kvs.map(toKv) };
}

function deleteResponse(r: Decoded): SimpleResponse {
  return {
    kind: 'delete',
    revision: Number(r.header.revision),
    deleted: Number(r.deleted),
    prevs: r.prev_kvs.map(toKv),
  };
}

function txnRequest(op: TxnOp): Record<string, unknown> {
  return {
    compare: op.compare.map(compareRequest),
    success: op.success.map(requestOp),
    failure: op.failure.map(requestOp),
  };
}

/** Its header has no revision. */
function innerTxnResponse(r: Decoded): InnerResponse {
  return { kind: 'txn', revision: 0, succeeded: r.succeeded, responses: r.responses.map(responseOp) };
}

function responseOp(r: Decoded): InnerResponse {
  if (r.response_txn) return innerTxnResponse(r.response_txn);
  if (r.response_put) return putResponse(r.response_put);
  if (r.response_range) return rangeResponse(r.response_range);
  return deleteResponse(r.response_delete_range);
}
