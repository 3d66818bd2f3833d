import type { Kv, KvEvent, LogRevision, Violation } from './history.js';
import { inRange } from './history.js';
import { sameKv } from './model.js';

/** One response of one watcher, in the order received. Control answers (created, canceled) are not listed here. */
export interface WatchBatch {
  /** The header's revision. */
  revision: number;
  /** Empty for a progress notification. */
  events: (KvEvent & { prev: Kv | null })[];
  /** More of the same response follows (`fragment`). */
  fragment: boolean;
  /** The compact revision when it was sent: a value from before it may be missing as a previous one. Default none. */
  compacted?: number;
}

/** A watcher's life on one stream: what was asked for and all that came. A resumed watch is a new record. */
export interface WatchRecord {
  /** For messages. */
  name: string;
  key: string;
  rangeEnd: string;
  /** The first revision that is due: start_revision, or the created answer's revision + 1 where that was 0. */
  start: number;
  prev: boolean;
  noPut: boolean;
  noDelete: boolean;
  batches: WatchBatch[];
  /** All events up to this revision must have come; 0 where the stream may have been cut anywhere. */
  complete: number;
}

/**
 * The rules of a watch (etcd's own guarantees, and etcd semantics, "Watch"):
 *   W1 ordered     revisions never fall          W5 start       nothing before the start revision
 *   W2 unique      no event twice                W6 progress    a notification at R comes after all up to R
 *   W3 atomic      a revision is in one batch    W7 content     the log's events, in sub-revision order
 *   W4 complete    no gap up to the last         W8 previous    the value before, if asked for
 *   W9 header      not below its events, never falls
 * A watch that is resumed after a cut at the last seen revision obeys the same rules, hence gets the exact remainder.
 *
 * @param base the revision before the log's first
 * @param initial the keys at `base`
 */
export function checkWatch(
  watch: WatchRecord,
  log: readonly LogRevision[],
  base = 1,
  initial: ReadonlyMap<string, Kv> = new Map(),
): Violation[] {
  return checkWatches([watch], log, base, initial);
}

/** The same for many watches of one log, whose state at each revision is worked out once. */
export function checkWatches(
  watches: readonly WatchRecord[],
  log: readonly LogRevision[],
  base = 1,
  initial: ReadonlyMap<string, Kv> = new Map(),
): Violation[] {
  if (watches.length === 0) return [];
  const all = withPrevious(log, initial);
  return watches.flatMap((watch) => violationsOf(watch, expected(watch, all, base)));
}

function violationsOf(watch: WatchRecord, due: readonly DueEvent[]): Violation[] {
  const violations: Violation[] = [];
  let at = 0; // next of `due`
  let lastRevision = 0;
  let lastHeader = 0;
  let open = false; // the last batch was a fragment

  for (const [i, batch] of watch.batches.entries()) {
    if (batch.revision < lastHeader)
      report('W9 header', `fell from ${lastHeader} to ${batch.revision}`, i, batch.revision);
    lastHeader = Math.max(lastHeader, batch.revision);
    for (const event of batch.events) {
      const revision = event.kv.mod;
      if (revision > batch.revision) report('W9 header', `${batch.revision} is below the event's`, i, revision);
      if (revision < watch.start) report('W5 start', `event before ${watch.start}`, i, revision);
      if (revision < lastRevision) report('W1 ordered', `event after one of ${lastRevision}`, i, revision);
      const next = due[at];
      if (next && same(next, event)) {
        at++;
        const lost = event.prev === null && revision <= (batch.compacted ?? 0);
        if (watch.prev && !lost && !sameKv(next.prev, event.prev)) {
          report(
            'W8 previous',
            `expected ${JSON.stringify(next.prev)}, got ${JSON.stringify(event.prev)}`,
            i,
            revision,
          );
        }
      } else {
        const known = due.findIndex((other) => same(other, event));
        if (known < 0) report('W7 content', `not in the log: ${JSON.stringify(event)}`, i, revision);
        else if (known < at) report('W2 unique', `came before: ${JSON.stringify(event)}`, i, revision);
        else {
          report('W4 complete', `missing before it: ${JSON.stringify(next)}`, i, revision);
          at = known + 1;
        }
      }
      lastRevision = Math.max(lastRevision, revision);
    }
    const pending = due[at];
    if (batch.events.length === 0 && pending && pending.kv.mod <= batch.revision) {
      report('W6 progress', `${batch.revision} was promised, missing ${JSON.stringify(pending)}`, i, batch.revision);
    }
    open = batch.fragment;
    if (!open && batch.events.length > 0 && pending?.kv.mod === batch.events.at(-1)!.kv.mod) {
      report('W3 atomic', `the batch ends inside a revision, missing ${JSON.stringify(pending)}`, i, pending.kv.mod);
    }
  }
  const left = due[at];
  if (left && left.kv.mod <= watch.complete) {
    report('W4 complete', `never came: ${JSON.stringify(left)}`, watch.batches.length, left.kv.mod);
  }
  return violations;

  function report(rule: string, message: string, batch: number, revision: number): void {
    violations.push({
      rule,
      message: `watch ${watch.name}, batch ${batch}: ${message}`,
      ops: [],
      revisions: [revision],
    });
  }
}

type DueEvent = KvEvent & { prev: Kv | null };

function expected(watch: WatchRecord, all: readonly (readonly DueEvent[])[], base: number): DueEvent[] {
  const due: DueEvent[] = [];
  for (let i = Math.max(0, watch.start - base - 1); i < all.length; i++) {
    for (const event of all[i]!) {
      if (!inRange(event.kv.key, watch.key, watch.rangeEnd)) continue;
      if (event.type === 'put' ? watch.noPut : watch.noDelete) continue;
      due.push(event);
    }
  }
  return due;
}

/** The events of each revision, with what was there before it. */
function withPrevious(log: readonly LogRevision[], initial: ReadonlyMap<string, Kv>): readonly (readonly DueEvent[])[] {
  const kvs = new Map(initial);
  return log.map(({ events }): DueEvent[] => {
    const of = events.map((event) => ({ ...event, prev: kvs.get(event.kv.key) ?? null }));
    for (const { type, kv } of events) {
      if (type === 'put') kvs.set(kv.key, kv);
      else kvs.delete(kv.key);
    }
    return of;
  });
}

function same(a: KvEvent, b: KvEvent): boolean {
  return a.type === b.type && sameKv(a.kv, b.kv);
}
