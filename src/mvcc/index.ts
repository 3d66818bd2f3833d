export type { MvccApi as MvccStore, WatchHubApi as WatchHub, WatchStreamApi as WatchStream } from './api.js';
export { type CheckRefusal, checkDeleteRange, checkPut, checkRange } from './check-range.js';
export { checkTxn, isTxnReadonly, isTxnSerializable } from './check-txn.js';
export type * from './types.js';
