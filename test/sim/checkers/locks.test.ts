import { describe, expect, it } from 'vitest';
import type { Holding, Kv, KvEvent, LockAnswers, LogRevision } from '../../../src/sim/checkers/index.js';
import { checkLocks } from '../../../src/sim/checkers/index.js';

/** Revisions from 2 on, one event or several each: `+key` puts, `-key` deletes. */
function logOf(...steps: string[]): LogRevision[] {
  const live = new Map<string, Kv>();
  return steps.map((step, i) => {
    const revision = i + 2;
    const events = step.split(' ').map((text): KvEvent => {
      const key = text.slice(1);
      if (text[0] === '-') {
        live.delete(key);
        return { type: 'delete', kv: { key, value: '', create: 0, mod: revision, version: 0, lease: '0' } };
      }
      const before = live.get(key);
      const kv = {
        key,
        value: '',
        create: before?.create ?? revision,
        mod: revision,
        version: (before?.version ?? 0) + 1,
        lease: key.slice(-1),
      };
      live.set(key, kv);
      return { type: 'put', kv };
    });
    return { revision, events };
  });
}

const hold = (lease: string, from: number, until = Number.POSITIVE_INFINITY, more: Partial<Holding> = {}): Holding => ({
  name: 'lock',
  key: `lock/${lease}`,
  guard: `guard/${lease}`,
  from,
  until,
  exact: true,
  create: 0,
  ...more,
});

function rules(log: LogRevision[], answers: Partial<LockAnswers>): string[] {
  return checkLocks(log, { holdings: [], leaders: [], denials: [], ...answers }).map(({ rule }) => rule);
}

/**       2           3           4          5          6          7 */
const TURNS = ['+guard/a', '+guard/b', '+lock/a', '+lock/b', '-lock/a', '-lock/b'];

describe('mutual exclusion', () => {
  it('is there where one holds after the other', () => {
    expect(rules(logOf(...TURNS), { holdings: [hold('a', 4, 5), hold('b', 6, 6)] })).toEqual([]);
  });

  it('is not asked of a holder whose lease has ended', () => {
    const log = logOf('+guard/a', '+guard/b', '+lock/a', '+lock/b', '-guard/a -lock/a', '-lock/b');
    expect(rules(log, { holdings: [hold('a', 4), hold('b', 6, 6)] })).toEqual([]);
  });

  it('is broken by the second in the queue', () => {
    const found = rules(logOf(...TURNS), { holdings: [hold('a', 4, 5), hold('b', 5, 6)] });
    expect(found).toContain('mutual exclusion');
  });

  it('is broken by one that holds while an older key is there, though nobody was told of that one', () => {
    expect(rules(logOf(...TURNS), { holdings: [hold('b', 5, 6)] })).toEqual(['mutual exclusion']);
  });

  it('is broken by two that hold while the leases of both live, though the key of the first is gone', () => {
    const found = rules(logOf(...TURNS), { holdings: [hold('a', 4, 6), hold('b', 6, 6)] });
    expect(found).toContain('mutual exclusion');
    expect(found).toContain('lock held');
  });

  it('is between the holders of one name', () => {
    const log = logOf('+guard/a', '+guard/b', '+lock/a', '+seat/b');
    expect(rules(log, { holdings: [hold('a', 4), hold('b', 5, 5, { name: 'seat', key: 'seat/b' })] })).toEqual([]);
  });
});

describe('a lock that is held', () => {
  it('was there at the answer', () => {
    const log = logOf('+guard/a', '+lock/a', '-guard/a -lock/a');
    expect(rules(log, { holdings: [hold('a', 4)] })).toEqual(['lock held']);
    expect(rules(log, { holdings: [hold('a', 4, 4, { exact: false })] })).toEqual([]);
  });

  it('stays while the lease lives', () => {
    expect(rules(logOf('+guard/a', '+lock/a', '-lock/a'), { holdings: [hold('a', 3)] })).toEqual(['lock held']);
  });

  it('has the create revision that was answered', () => {
    const log = logOf('+guard/a', '+lock/a');
    expect(rules(log, { holdings: [hold('a', 3, 3, { create: 3 })] })).toEqual([]);
    expect(rules(log, { holdings: [hold('a', 3, 3, { create: 2 })] })).toEqual(['lock held']);
  });

  it('is at a revision that there is', () => {
    expect(rules(logOf('+guard/a', '+lock/a'), { holdings: [hold('a', 9)] })).toEqual(['known revision']);
  });

  it('is not denied while its lease lives', () => {
    const log = logOf('+guard/a', '+lock/a', '-guard/a -lock/a');
    const holding = hold('a', 3);
    expect(rules(log, { holdings: [holding], denials: [{ holding, revision: 4 }] })).toEqual([]);
    expect(rules(log, { holdings: [holding], denials: [{ holding, revision: 3 }] })).toEqual(['lock held']);
  });
});

describe('who leads', () => {
  const leader = (log: LogRevision[], at: number, revision: number) => ({
    name: 'lock',
    revision,
    kv: (log[at - 2] as LogRevision).events[0]?.kv as Kv,
  });

  it('is the first created key', () => {
    const log = logOf(...TURNS);
    expect(rules(log, { leaders: [leader(log, 4, 4), leader(log, 4, 5), leader(log, 5, 6)] })).toEqual([]);
  });

  it('is neither a later one nor one that has gone', () => {
    const log = logOf(...TURNS);
    expect(rules(log, { leaders: [leader(log, 5, 5)] })).toEqual(['leader']);
    expect(rules(log, { leaders: [leader(log, 4, 6)] })).toEqual(['leader']);
    expect(rules(log, { leaders: [leader(log, 5, 9)] })).toEqual(['known revision']);
  });
});
