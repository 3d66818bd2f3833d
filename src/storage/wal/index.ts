export { WalError, type WalErrorCode } from './errors.js';
export { WalMutant } from './mutants.js';
export type { WalContent, WalCut, WalOpened, WalOptions, WalPoint, WalPromise } from './types.js';
export { Wal } from './wal.js';
