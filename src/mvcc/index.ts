export { type CheckRefusal, checkDeleteRange, checkPut, checkRange } from './check-range.js';
export { checkTxn, isTxnReadonly, isTxnSerializable } from './check-txn.js';
export { hashRows, type RestingRows } from './offline.js';
export { encodeRevision } from './revision.js';
export { type MvccStore, openMvcc } from './store.js';
export type * from './types.js';
export type { WatchHub } from './watch-hub.js';
export type { WatchStream } from './watch-stream.js';
