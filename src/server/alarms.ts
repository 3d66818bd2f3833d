import type { Backend } from '../storage/backend/index.js';
import { Bucket } from '../storage/backend/index.js';
import { AlarmMember as AlarmMemberCodec } from '../wire/index.js';
import type { AlarmMember } from './api.js';

export const AlarmAction = { GET: 0, ACTIVATE: 1, DEACTIVATE: 2 } as const;
export const AlarmType = { NONE: 0, NOSPACE: 1, CORRUPT: 2 } as const;

/** The alarms raised in the cluster. Replicated: it changes in apply alone (semantics 7, 8). */
export class Alarms {
  /** By type, then by member. */
  #raised: AlarmMember[] = [];
  #backend: Backend;
  /** Some member has no space: what grows the database is refused. */
  noSpace = false;
  /** Some member's data is not what it should be: writes are refused. */
  corrupt = false;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  load(backend: Backend, rows: Iterable<Buffer>): void {
    this.#backend = backend;
    this.#raised = [];
    for (const row of rows) this.#raised.push(AlarmMemberCodec.decode(row));
    this.#look();
  }

  #look(): void {
    this.noSpace = this.has(AlarmType.NOSPACE);
    this.corrupt = this.has(AlarmType.CORRUPT);
  }

  /** All, or those of one type. */
  list(type: number = AlarmType.NONE): AlarmMember[] {
    return type === AlarmType.NONE ? [...this.#raised] : this.#raised.filter((alarm) => alarm.alarm === type);
  }

  has(type: number): boolean {
    return this.#raised.some((alarm) => alarm.alarm === type);
  }

  /** @returns the alarm, whether it is new or not; null for type NONE */
  activate(memberId: bigint, type: number): AlarmMember | null {
    if (type === AlarmType.NONE) return null;
    const alarm = { memberId, alarm: type };
    if (!this.#raised.some((known) => same(known, alarm))) {
      this.#raised.push(alarm);
      this.#backend.put(Bucket.alarm, AlarmMemberCodec.encode(alarm), EMPTY);
      this.#look();
    }
    return alarm;
  }

  /** @returns the alarm that ended; null if there was none */
  deactivate(memberId: bigint, type: number): AlarmMember | null {
    const alarm = { memberId, alarm: type };
    if (!this.#raised.some((known) => same(known, alarm))) return null;
    this.#raised = this.#raised.filter((known) => !same(known, alarm));
    this.#backend.del(Bucket.alarm, AlarmMemberCodec.encode(alarm));
    this.#look();
    return alarm;
  }
}

const EMPTY = Buffer.alloc(0);

function same(a: AlarmMember, b: AlarmMember): boolean {
  return a.memberId === b.memberId && a.alarm === b.alarm;
}
