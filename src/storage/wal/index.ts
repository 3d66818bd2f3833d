export { WalError, type WalErrorCode } from './errors.js';
export type {
  WalConfState,
  WalCut,
  WalEntry,
  WalHardState,
  WalIdentity,
  WalOpened,
  WalOptions,
  WalPoint,
  WalSnapshot,
} from './types.js';
export { Wal } from './wal.js';
