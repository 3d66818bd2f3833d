import type { RaftConfig } from './config.js';
import { validate } from './config.js';
import type { ConfChange, ConfState } from './entry.js';
import type { Message } from './message.js';
import { Ready } from './ready.js';
import type { RaftStatus } from './status.js';
import type { NodeId, ProposeResult, ReadIndexResult, Role, TransferResult } from './types.js';

/** Work in progress: the types stand, the algorithm is being filled in. */
export class Raft {
  readonly id: NodeId;

  constructor(config: RaftConfig) {
    this.id = validate(config).id;
  }

  get term(): number {
    return todo();
  }
  /** 0n if none is known. */
  get leader(): NodeId {
    return todo();
  }
  get role(): Role {
    return todo();
  }
  get isLeader(): boolean {
    return todo();
  }
  get commitIndex(): number {
    return todo();
  }
  get appliedIndex(): number {
    return todo();
  }
  get lastIndex(): number {
    return todo();
  }
  /** The oldest entry that compact() has left. */
  get firstIndex(): number {
    return todo();
  }
  /** Bytes of the entries held in memory. */
  get logBytes(): number {
    return todo();
  }
  get confState(): ConfState {
    return todo();
  }

  /** Time passes. */
  tick(): void {
    todo();
  }
  /** A message came. It may be lost, doubled, late or out of order; it is never of another cluster or another receiver. */
  step(_m: Message): void {
    todo();
  }
  /** Appends normal entries with these data, all or none. The buffers are kept and must not change. */
  propose(_datas: readonly Buffer[]): ProposeResult {
    return todo();
  }
  proposeConfChange(_cc: ConfChange): ProposeResult {
    return todo();
  }
  /** A committed change is being applied. nodeId 0n changes nothing. @returns the configuration after it */
  applyConfChange(_cc: ConfChange): ConfState {
    return todo();
  }
  /** Asks for a linearizable read; `ctx` > 0 comes back in Ready.readStates, if no leader is lost meanwhile. New for each attempt. */
  readIndex(_ctx: number): ReadIndexResult {
    return todo();
  }
  transferLeadership(_target: NodeId): TransferResult {
    return todo();
  }
  /** Campaigns now, as if the election timer had fired. */
  campaign(): void {
    todo();
  }
  /** Evidence that the process of `id` is gone. If it led us, we may campaign without waiting (PreVote protects). */
  peerDown(_id: NodeId): void {
    todo();
  }
  /** Messages to `id` were lost. */
  reportUnreachable(_id: NodeId): void {
    todo();
  }
  /** The data that belongs to a MsgSnap to `id` has been taken by it, or not. Every MsgSnap is answered by one report. */
  reportSnapshot(_id: NodeId, _ok: boolean): void {
    todo();
  }
  /** Forgets entries up to `index` <= applied. Keep some for members that lag. */
  compact(_index: number): void {
    todo();
  }
  /** The Ready with this token, and all before it, are durable, and their messagesAfterPersist sent or about to be. */
  persisted(_token: number): void {
    todo();
  }
  /** Committed entries up to `index` have been applied. */
  applied(_index: number): void {
    todo();
  }
  hasReady(): boolean {
    return todo();
  }
  ready(): Ready {
    return new Ready(0);
  }
  status(): RaftStatus {
    return todo();
  }
}

function todo(): never {
  throw new Error('raft: not built yet');
}
