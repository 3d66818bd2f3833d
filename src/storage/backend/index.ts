export type { Backend, BackendCursor, BackendPin } from './backend.js';
export { BUCKET_MAX, BUCKET_NAMES, Bucket } from './bucket.js';
export type { BackendErrorCode } from './errors.js';
export { BackendError } from './errors.js';
