import type { Bytes, CallOptions, DeleteOptions, GetOptions, PutOptions, TxnSpec } from '../../client/index.js';
import { KeelClient } from '../../client/index.js';

/** Told of each call that has ended, however it did. */
export type CallObserver = (operation: string, seconds: number) => void;

/** A client of the store whose calls are timed, for etcd_request_duration_seconds. */
export class TimedClient extends KeelClient {
  observer: CallObserver = () => {};

  override get(key: Bytes, options?: GetOptions & CallOptions) {
    return this.#timed('get', super.get(key, options));
  }

  override put(key: Bytes, value: Bytes, options?: PutOptions & CallOptions) {
    return this.#timed('put', super.put(key, value, options));
  }

  override delete(key: Bytes, options?: DeleteOptions & CallOptions) {
    return this.#timed('delete', super.delete(key, options));
  }

  override txn(txn: TxnSpec, options?: CallOptions & { readonly idempotent?: boolean }) {
    return this.#timed('txn', super.txn(txn, options));
  }

  #timed<T>(operation: string, call: Promise<T>): Promise<T> {
    const began = performance.now();
    const ended = (): void => this.observer(operation, (performance.now() - began) / 1000);
    call.then(ended, ended);
    return call;
  }
}
