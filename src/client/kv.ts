import * as wire from '../wire/index.js';
import type { Bytes } from './bytes.js';
import type { Caller, CallOptions } from './caller.js';
import type { DeleteOptions, GetOptions, PutOptions, TxnSpec } from './ops.js';
import { deleteRequest, isReadOnly, putRequest, rangeRequest, txnRequest } from './ops.js';
import type { DeleteResult, Header, PutResult, RangeResult, TxnResult } from './results.js';
import { toDeleteResult, toHeader, toPutResult, toRangeResult, toTxnResult } from './results.js';

const RANGE = '/etcdserverpb.KV/Range';
const PUT = '/etcdserverpb.KV/Put';
const DELETE_RANGE = '/etcdserverpb.KV/DeleteRange';
const TXN = '/etcdserverpb.KV/Txn';
const COMPACT = '/etcdserverpb.KV/Compact';

/** Keys and values. Reads are repeated on another member where that helps; a write is never sent twice. */
export class KvService {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  async put(key: Bytes, value: Bytes, options: PutOptions & CallOptions = {}): Promise<PutResult> {
    const request = wire.encodePutRequest(putRequest(key, value, options));
    return toPutResult(await this.#caller.call(PUT, request, wire.PutResponse, 'write', options));
  }

  async get(key: Bytes, options: GetOptions & CallOptions = {}): Promise<RangeResult> {
    const request = wire.encodeRangeRequest(rangeRequest(key, options));
    return toRangeResult(await this.#caller.call(RANGE, request, wire.RangeResponse, 'read', options));
  }

  async delete(key: Bytes, options: DeleteOptions & CallOptions = {}): Promise<DeleteResult> {
    const request = wire.encodeDeleteRangeRequest(deleteRequest(key, options));
    return toDeleteResult(await this.#caller.call(DELETE_RANGE, request, wire.DeleteRangeResponse, 'write', options));
  }

  /** @param options.idempotent the caller vouches that running it twice is as good as once: it is retried like a read */
  async txn(txn: TxnSpec, options: CallOptions & { readonly idempotent?: boolean } = {}): Promise<TxnResult> {
    const request = txnRequest(txn);
    const repeat = options.idempotent || isReadOnly(request) ? 'read' : 'write';
    const bytes = wire.encodeTxnRequest(request);
    return toTxnResult(await this.#caller.call(TXN, bytes, wire.TxnResponse, repeat, options));
  }

  /**
   * Drops history below `revision`.
   * @param options.physical answer only when the space has been given back
   * @throws KeelError ERR_COMPACTED, ERR_FUTURE_REV
   */
  async compact(
    revision: number,
    options: CallOptions & { readonly physical?: boolean } = {},
  ): Promise<{ header: Header }> {
    const request = wire.CompactionRequest.encode({ revision, physical: options.physical ?? false });
    const reply = await this.#caller.call(COMPACT, request, wire.CompactionResponse, 'write', options);
    return { header: toHeader(reply.header) };
  }
}
