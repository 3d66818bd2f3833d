export { type InitialState, type RaftConfig, type RaftRng, type ResolvedConfig, validate } from './config.js';
export { ConfChange, ConfChangeType, type ConfState, Entry, EntryType, type HardState } from './entry.js';
export { RaftError } from './errors.js';
export { MESSAGE_NAMES, Message, MessageKind, NO_ENTRIES } from './message.js';
export { MUTANTS, type Mutant } from './mutants.js';
export { Raft } from './raft.js';
export { Ready } from './ready.js';
export { type PeerStatus, PROGRESS_NAMES, ProgressState, type RaftStatus } from './status.js';
export {
  NONE,
  type NodeId,
  type ProposeResult,
  type ReadIndexResult,
  type ReadState,
  ROLE_NAMES,
  Role,
  type SnapshotMeta,
  type SoftState,
  type TransferResult,
} from './types.js';
