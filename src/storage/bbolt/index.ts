export type { BboltErrorCode } from './errors.js';
export { BboltError } from './errors.js';
export { BboltExport } from './export.js';
export type { FileBucket, RandomRead } from './reader.js';
export { BboltReader } from './reader.js';
export type { RowEdit } from './walk.js';
