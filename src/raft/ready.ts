import type { Entry, HardState } from './entry.js';
import type { Message } from './message.js';
import type { ReadState, SnapshotMeta, SoftState } from './types.js';

/**
 * What is to be done now. The contract, in short (DESIGN.md has all of it):
 *
 * 1. Send `messages` at once.
 * 2. Persist, as one unit and in the order of the Readys: `snapshot`, `entries` (an entry replaces those at and after
 *    its index), `hardState`; with fsync if `mustSync`. Then send `messagesAfterPersist`, then call
 *    `raft.persisted(token)`. Later Readys may be taken while this is under way.
 * 3. Apply `committedEntries` in order (they are durable already), call `raft.applyConfChange` for those that are
 *    configuration changes, then `raft.applied(index)`.
 * 4. Serve `readStates` once their index is applied.
 */
export class Ready {
  /** Ascending by one. `persisted(token)` acknowledges this Ready and all before it. */
  token: number;
  /** Null if it is as it was in the last Ready that had one. */
  hardState: HardState | null;
  /** In order of index, without gaps. */
  entries: readonly Entry[];
  /** To be installed, in a Ready without entries; its data came beside its message. What it includes is applied when it is persisted. */
  snapshot: SnapshotMeta | null;
  /** May leave before anything of this Ready is durable. */
  messages: Message[];
  /** Promises of durability: may leave only when this Ready and all before it are durable. */
  messagesAfterPersist: Message[];
  committedEntries: readonly Entry[];
  readStates: ReadState[];
  /** Null if unchanged. */
  softState: SoftState | null;
  /** True if something in here must survive a power cut: entries, snapshot, term or vote. */
  mustSync: boolean;

  constructor(token: number) {
    this.token = token;
    this.hardState = null;
    this.entries = [];
    this.snapshot = null;
    this.messages = [];
    this.messagesAfterPersist = [];
    this.committedEntries = [];
    this.readStates = [];
    this.softState = null;
    this.mustSync = false;
  }

  /** False if nothing is to be written; `persisted(token)` is owed all the same. */
  get hasWrites(): boolean {
    return this.hardState !== null || this.snapshot !== null || this.entries.length > 0;
  }
}
