import type { Kv, LogRevision, Violation } from './history.js';
import { sameKv } from './model.js';

/** Somebody was told that a key has the lock, or leads. */
export interface Holding {
  /** What is contended for: the keys stand below `<name>/`. */
  readonly name: string;
  readonly key: string;
  /** Another key of the same lease, put before: it is there as long as the lease lives. */
  readonly guard: string;
  /** The first revision at which the key has to be the oldest. */
  readonly from: number;
  /** The last one before its holder began to give it up; Infinity: it never did. */
  until: number;
  /** The answer was of the state at `from`: the key was there, and not only if the lease lived. */
  readonly exact: boolean;
  /** The create revision that the answer named; 0: none. */
  readonly create: number;
}

/** An answer to who leads: the first created key at that revision. */
export interface SeenLeader {
  readonly name: string;
  readonly revision: number;
  readonly kv: Kv;
}

/** A holder was told at this revision, or before it, that it is none. */
export interface Denial {
  readonly holding: Holding;
  readonly revision: number;
}

export interface LockAnswers {
  readonly holdings: readonly Holding[];
  readonly leaders: readonly SeenLeader[];
  readonly denials: readonly Denial[];
}

/**
 * Mutual exclusion (etcd semantics §11), from what callers were told and the log of all revisions: whoever was told that
 * it holds has the oldest key below the name until it gives up or its lease ends, so that no two hold at one revision.
 *
 * @param log from revision 2 on
 */
export function checkLocks(log: readonly LogRevision[], { holdings, leaders, denials }: LockAnswers): Violation[] {
  const violations: Violation[] = [];
  const kvs = new Map<string, Kv>();
  const starting = [...holdings].sort((a, b) => a.from - b.from);
  const asked = [...leaders].sort((a, b) => a.revision - b.revision);
  let holding: Holding[] = [];
  let [starts, asks] = [0, 0];

  for (const { revision, events } of [{ revision: 1, events: [] }, ...log]) {
    for (const { type, kv } of events) {
      if (type === 'put') kvs.set(kv.key, kv);
      else kvs.delete(kv.key);
    }
    for (let next = starting[starts]; next !== undefined && next.from <= revision; next = starting[++starts]) {
      holding.push(next);
      if (next.exact && !kvs.has(next.key)) report('lock held', `${next.key} was answered and is not there`, revision);
    }
    holding = holding.filter((held) => revision <= held.until && kvs.has(held.guard));
    for (const held of holding) checkHolding(held, revision);
    for (let next = asked[asks]; next !== undefined && next.revision <= revision; next = asked[++asks]) {
      const expected = oldest(next.name);
      if (sameKv(next.kv, expected)) continue;
      report('leader', `${JSON.stringify(next.kv)} was answered, not ${JSON.stringify(expected)}`, revision);
    }
    // Of a lease that lives now, the key was there all the while.
    for (const { holding: held, revision: at } of denials) {
      if (at !== revision || held.until < revision || !kvs.has(held.guard)) continue;
      report('lock held', `${held.key} was told that it holds nothing`, revision);
    }
  }
  const last = log.length + 1;
  for (const held of starting.slice(starts))
    report('known revision', `${held.key} is held from behind ${last} on`, last);
  for (const { name } of asked.slice(asks))
    report('known revision', `${name} has a leader from behind ${last} on`, last);
  return violations;

  function checkHolding(held: Holding, revision: number): void {
    const kv = kvs.get(held.key);
    const first = oldest(held.name);
    const rival = holding.find((other) => other !== held && other.name === held.name);
    if (rival !== undefined) {
      report('mutual exclusion', `${held.key} and ${rival.key} hold, and the leases of both live`, revision);
    }
    if (kv === undefined) return report('lock held', `${held.key} is gone, and its lease is not`, revision);
    if (first?.key !== held.key) report('mutual exclusion', `${held.key} holds, ${first?.key} is older`, revision);
    if (held.create !== 0 && held.create !== kv.create) {
      report('lock held', `${held.key} was created at ${kv.create}, not at ${held.create}`, revision);
    }
  }

  function oldest(name: string): Kv | null {
    let found: Kv | null = null;
    for (const kv of kvs.values()) {
      if (kv.key.startsWith(`${name}/`) && (found === null || kv.create < found.create)) found = kv;
    }
    return found;
  }

  function report(rule: string, message: string, revision: number): void {
    // One holding that went wrong does so at many revisions.
    if (violations.some((other) => other.rule === rule && other.message === message)) return;
    violations.push({ rule, message, ops: [], revisions: [revision] });
  }
}
