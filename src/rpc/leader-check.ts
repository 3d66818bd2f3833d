import type { MemberApi } from '../server/index.js';
import type { Timers } from '../util/env.js';
import type { StreamCall } from './call.js';
import { SERVER_STATUS } from './errors.js';

/** Checks in a row without a leader after which the streams that require one are ended (etcd semantics §1.2). */
const CHECKS_MAX = 3;

/** The open streams whose client asked, by `hasleader: true`, to be told when the cluster has no leader. */
export class LeaderCheck {
  readonly #member: MemberApi;
  readonly #timers: Timers;
  readonly #streams = new Set<StreamCall>();
  #timer: unknown = null;
  #misses = 0;

  constructor(member: MemberApi, timers: Timers) {
    this.#member = member;
    this.#timers = timers;
  }

  add(call: StreamCall): void {
    this.#streams.add(call);
    if (this.#timer === null) this.#arm();
  }

  delete(call: StreamCall): void {
    this.#streams.delete(call);
  }

  stop(): void {
    if (this.#timer !== null) this.#timers.clear(this.#timer);
    this.#timer = null;
    this.#streams.clear();
  }

  #arm(): void {
    this.#timer = this.#timers.set(this.#member.limits.electionTimeoutMs, () => this.#check());
  }

  #check(): void {
    this.#timer = null;
    this.#misses = this.#member.hasLeader ? 0 : this.#misses + 1;
    if (this.#misses >= CHECKS_MAX) {
      this.#misses = 0;
      for (const call of [...this.#streams]) call.end(SERVER_STATUS.ERR_NO_LEADER);
      this.#streams.clear();
    }
    if (this.#streams.size > 0) this.#arm();
    else this.#misses = 0;
  }
}
