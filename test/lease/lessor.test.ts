import { describe, expect, it } from 'vitest';
import type { LeaseRow, LessorOptions } from '../../src/lease/index.js';
import { Lessor, readLeases } from '../../src/lease/index.js';
import { Bucket, MemoryBackend } from '../../src/storage/backend/index.js';
import { StoredLease } from '../../src/wire/index.js';

const tasks: (() => void)[] = [];
const backendOf = (): MemoryBackend => new MemoryBackend((fn) => tasks.push(fn));
const run = (): void => {
  for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) task();
};

function leader(options: LessorOptions = {}): Lessor {
  const lessor = new Lessor(backendOf(), options);
  lessor.promote(0, 0);
  return lessor;
}

const noKeys = (keys: string[]): void => {
  throw new Error(`no keys expected: ${keys.join()}`);
};

describe('grant (etcd semantics §5)', () => {
  it('takes any id but 0, also a negative one', () => {
    const lessor = leader();
    expect(lessor.grant(0n, 10)).toBe('lease-not-found');
    expect(lessor.grant(-7n, 10)).toEqual({ id: -7n, ttl: 10 });
    expect(lessor.grant((1n << 63n) - 1n, 10)).toEqual({ id: (1n << 63n) - 1n, ttl: 10 });
    expect(lessor.exists(-7n)).toBe(true);
  });

  it('raises a TTL below the minimum, also zero and negative ones', () => {
    const lessor = new Lessor(backendOf(), { minTtl: 2 });
    expect([1, 0, -5, 2, 60].map((ttl) => lessor.raised(ttl))).toEqual([2, 2, 2, 2, 60]);
  });

  it('stores what was proposed, whatever the minimum of the member that applies it', () => {
    const stored = [1, 2, 8].map((minTtl) => {
      const backend = backendOf();
      const lessor = new Lessor(backend, { minTtl });
      expect(lessor.grant(3n, 4)).toEqual({ id: 3n, ttl: 4 });
      expect(lessor.grant(4n, 0)).toEqual({ id: 4n, ttl: 1 });
      return StoredLease.decode(backend.get(Bucket.lease, Buffer.from('0000000000000003', 'hex'))!);
    });
    expect(stored).toEqual([1, 2, 8].map(() => ({ id: 3n, ttl: 4, remainingTtl: 0 })));
  });

  it('refuses a TTL above 9e9 before it looks for a duplicate', () => {
    const lessor = leader();
    expect(lessor.grant(1n, 9_000_000_000)).toEqual({ id: 1n, ttl: 9_000_000_000 });
    expect(lessor.grant(1n, 9_000_000_001)).toBe('ttl-too-large');
    expect(lessor.grant(1n, 5)).toBe('lease-exists');
  });
});

describe('revoke (etcd semantics §5)', () => {
  it('deletes the keys in byte order and forgets the lease', () => {
    const backend = backendOf();
    const lessor = new Lessor(backend);
    lessor.grant(1n, 10);
    for (const key of ['b', '\xff', 'a', 'a\0']) lessor.attach(1n, key);
    let deleted: string[] = [];
    const outcome = lessor.revoke(1n, (keys) => {
      deleted = keys;
      for (const key of keys) lessor.detach(key);
    });
    expect(outcome).toBe('revoked');
    expect(deleted).toEqual(['a', 'a\0', 'b', '\xff']);
    expect(lessor.exists(1n)).toBe(false);
    expect(backend.rowCount).toBe(0);
  });

  it('does not touch the store for a lease without keys, and knows no unknown one', () => {
    const lessor = leader();
    lessor.grant(1n, 10);
    expect(lessor.revoke(1n, noKeys)).toBe('revoked');
    expect(lessor.revoke(1n, noKeys)).toBe('lease-not-found');
  });
});

describe('attachment (etcd semantics §5)', () => {
  it('is to one lease at most', () => {
    const lessor = leader();
    lessor.grant(1n, 10);
    lessor.grant(2n, 10);
    lessor.attach(1n, 'k');
    lessor.attach(2n, 'k');
    expect(lessor.keysOf(1n)).toEqual([]);
    expect(lessor.keysOf(2n)).toEqual(['k']);
    expect(lessor.leaseOf('k')).toBe(2n);
    lessor.detach('k');
    lessor.detach('k');
    expect(lessor.leaseOf('k')).toBe(0n);
    expect(lessor.keysOf(9n)).toEqual([]);
  });
});

describe('expiry (etcd semantics §5, museum 55 and 59)', () => {
  it('is told in the order of time, a bounded number at once, and again only after the retry interval', () => {
    const lessor = leader({ minTtl: 1, retryMs: 3000 });
    for (const [id, ttl] of [
      [1n, 5],
      [2n, 3],
      [3n, 4],
    ] as const)
      lessor.grant(id, ttl);
    expect(lessor.expired(0, 10)).toEqual([]);
    expect(lessor.hasExpired(2999)).toBe(false);
    expect(lessor.hasExpired(3000)).toBe(true);
    expect(lessor.expired(10_000, 2)).toEqual([2n, 3n]);
    expect(lessor.expired(10_000, 2)).toEqual([1n]);
    expect(lessor.expired(12_999, 5)).toEqual([]);
    expect(lessor.expired(13_000, 5)).toEqual([1n, 2n, 3n]);
  });

  it('is put off by a renewal, which gives the granted TTL again', () => {
    const lessor = leader({ minTtl: 1 });
    lessor.grant(1n, 5);
    expect(lessor.expired(0, 5)).toEqual([]);
    expect(lessor.renew(1n, 4000)).toBe(5);
    expect(lessor.expired(8999, 5)).toEqual([]);
    expect(lessor.expired(9000, 5)).toEqual([1n]);
  });

  it('counts a renewal from the moment the leader was confirmed, and never backwards', () => {
    const lessor = leader({ minTtl: 1 });
    lessor.grant(1n, 10);
    expect(lessor.remaining(1n, 0)).toEqual({ ttl: 10, grantedTtl: 10 });
    expect(lessor.renew(1n, 6000, 5000)).toBe(10);
    expect(lessor.remaining(1n, 6000)?.ttl).toBe(9);
    expect(lessor.renew(1n, 7000, 4000)).toBe(10);
    expect(lessor.remaining(1n, 7000)?.ttl).toBe(8);
  });

  it('is nobody’s business but the leader’s', () => {
    const lessor = leader({ minTtl: 1 });
    lessor.grant(1n, 1);
    lessor.demote();
    expect(lessor.expired(1e9, 5)).toEqual([]);
    expect(lessor.hasExpired(1e9)).toBe(false);
    expect(lessor.renew(1n, 10)).toBe('not-primary');
    expect(lessor.remaining(1n, 1e9)).toEqual({ ttl: Number.MAX_SAFE_INTEGER, grantedTtl: 1 });
  });

  it('mutant 55: a deposed leader goes on revoking', () => {
    const lessor = leader({ minTtl: 1, mutants: new Set(['55']) });
    lessor.grant(1n, 1);
    lessor.demote();
    lessor.expired(0, 5);
    expect(lessor.expired(1000, 5)).toEqual([1n]);
  });
});

describe('renew (etcd semantics §5, museum 56)', () => {
  it('knows an unknown lease from an expired one that is not revoked yet', () => {
    const lessor = leader({ minTtl: 1 });
    lessor.grant(1n, 1);
    lessor.expired(0, 1);
    expect(lessor.renew(2n, 0)).toBe('not-found');
    expect(lessor.renew(1n, 1000)).toBe('expired-pending-revoke');
    expect(lessor.remaining(1n, 2500)).toEqual({ ttl: -1, grantedTtl: 1 });
  });

  it('lets those wait who renew an expired one: for the revoke, or for another leader', () => {
    const lessor = leader({ minTtl: 1 });
    lessor.grant(1n, 1);
    lessor.grant(2n, 1);
    const told: string[] = [];
    lessor.whenRevoked(1n, (outcome) => told.push(`1 ${outcome}`));
    lessor.whenRevoked(1n, (outcome) => told.push(`1 again ${outcome}`));
    lessor.whenRevoked(2n, (outcome) => told.push(`2 ${outcome}`));
    expect(told).toEqual([]);
    lessor.revoke(1n, noKeys);
    expect(told).toEqual(['1 not-found', '1 again not-found']);
    lessor.demote();
    expect(told[2]).toBe('2 not-primary');
    lessor.whenRevoked(2n, (outcome) => told.push(`late ${outcome}`));
    lessor.whenRevoked(1n, (outcome) => told.push(`gone ${outcome}`));
    expect(told.slice(3)).toEqual(['late not-primary', 'gone not-primary']);
  });

  it('mutant 56: promises time to a lease whose revoke is on its way', () => {
    const lessor = leader({ minTtl: 1, mutants: new Set(['56']) });
    lessor.grant(1n, 1);
    lessor.expired(0, 1);
    expect(lessor.renew(1n, 5000)).toBe(1);
  });
});

describe('a new leader (etcd semantics §5)', () => {
  it('gives every lease its whole time and the election timeout', () => {
    const lessor = new Lessor(backendOf(), { minTtl: 1 });
    lessor.grant(1n, 5);
    lessor.grant(2n, 100);
    lessor.checkpoint(2n, 7, true);
    lessor.promote(1000, 500);
    expect(lessor.expired(6499, 5)).toEqual([]);
    expect(lessor.expired(6500, 5)).toEqual([1n]);
    // What a checkpoint left is what it starts with; a renewal gives the full TTL again.
    expect(lessor.remaining(2n, 1000)).toEqual({ ttl: 7, grantedTtl: 100 });
    expect(lessor.renew(2n, 1000)).toBe(100);
    expect(lessor.checkpoint(3n, 1, true)).toBe('lease-not-found');
  });

  it('spreads leases that would end at once, never to an earlier time', () => {
    const lessor = new Lessor(backendOf(), { minTtl: 1, promotedExpiriesPerSecond: 10 });
    for (let id = 1n; id <= 35n; id++) lessor.grant(id, 5);
    lessor.promote(0, 0);
    expect(lessor.expired(4999, 100)).toEqual([]);
    expect(lessor.expired(5000, 100)).toHaveLength(10);
    expect(lessor.expired(6000, 100)).toHaveLength(10);
    expect(lessor.expired(7000, 100)).toHaveLength(10);
    expect(lessor.expired(8000, 100).filter((id) => id > 30n)).toHaveLength(5);
  });

  it('lists by the time left', () => {
    const lessor = leader({ minTtl: 1 });
    for (const [id, ttl] of [
      [1n, 9],
      [2n, 3],
      [-3n, 5],
    ] as const)
      lessor.grant(id, ttl);
    lessor.expired(0, 0);
    expect(lessor.list()).toEqual([2n, -3n, 1n]);
  });
});

describe('restart (etcd semantics §12)', () => {
  it('finds the leases and their keys again, and starts their time anew', () => {
    const backend = backendOf();
    const before = new Lessor(backend, { minTtl: 1 });
    before.grant(1n, 5);
    before.grant(-2n, 6);
    before.grant(3n, 7);
    before.revoke(3n, noKeys);
    backend.setApplied(1, 1);
    backend.flush();
    const reopened = backend.reopen();
    let rows: readonly LeaseRow[] | undefined;
    readLeases(reopened, (err, found) => {
      expect(err).toBe(null);
      rows = found;
    });
    run();
    const after = new Lessor(reopened, { minTtl: 1 });
    after.reset(
      reopened,
      rows!,
      new Map([
        ['a', 1n],
        ['b', -2n],
        ['orphan', 3n],
      ]),
      0,
    );
    expect(after.list().sort()).toEqual([-2n, 1n]);
    expect(after.keysOf(1n)).toEqual(['a']);
    expect(after.leaseOf('b')).toBe(-2n);
    expect(after.leaseOf('orphan')).toBe(0n);
    after.promote(100, 0);
    expect(after.remaining(1n, 100)).toEqual({ ttl: 5, grantedTtl: 5 });
  });

  it('tells those who wait for a lease that a snapshot does not have', () => {
    const lessor = leader();
    lessor.grant(1n, 5);
    lessor.grant(2n, 5);
    const told: string[] = [];
    lessor.whenRevoked(1n, (outcome) => told.push(`1 ${outcome}`));
    lessor.whenRevoked(2n, (outcome) => told.push(`2 ${outcome}`));
    lessor.reset(backendOf(), [{ id: 2n, ttl: 5, remainingTtl: 0 }], new Map(), 0);
    expect(told).toEqual(['1 not-found']);
  });
});

describe('checkpoints (etcd semantics §5)', () => {
  const MINUTES_5 = 300_000;
  const long = 3600;

  it('names what is left of long leases, every interval, and nothing of short ones or where it is off', () => {
    const lessor = leader({ checkpointMs: MINUTES_5 });
    lessor.grant(1n, long);
    lessor.grant(2n, 200);
    expect(lessor.dueCheckpoints(0, 10)).toEqual([]);
    expect(lessor.dueCheckpoints(MINUTES_5 - 1, 10)).toEqual([]);
    expect(lessor.dueCheckpoints(MINUTES_5, 10)).toEqual([{ id: 1n, remainingTtl: 3300 }]);
    expect(lessor.dueCheckpoints(MINUTES_5, 10)).toEqual([]);
    expect(lessor.dueCheckpoints(2 * MINUTES_5, 10)).toEqual([{ id: 1n, remainingTtl: 3000 }]);
    const off = leader();
    off.grant(1n, long);
    expect(off.dueCheckpoints(MINUTES_5, 10)).toEqual([]);
  });

  it('waits a whole interval again after a renewal, and takes as many at once as it may', () => {
    const lessor = leader({ checkpointMs: MINUTES_5 });
    for (const id of [1n, 2n, 3n]) lessor.grant(id, long);
    lessor.dueCheckpoints(0, 10);
    lessor.renew(2n, 200_000);
    expect(lessor.dueCheckpoints(MINUTES_5, 1).map(({ id }) => id)).toEqual([1n]);
    expect(lessor.dueCheckpoints(MINUTES_5, 10).map(({ id }) => id)).toEqual([3n]);
    expect(lessor.dueCheckpoints(500_000, 10)).toEqual([{ id: 2n, remainingTtl: 3300 }]);
  });

  it('what is left survives a change of leaders, where it would begin anew', () => {
    const lessor = leader({ checkpointMs: MINUTES_5 });
    lessor.grant(1n, long);
    lessor.grant(2n, long);
    lessor.checkpoint(1n, 600, true);
    lessor.demote();
    lessor.promote(1_000_000, 0);
    expect(lessor.remaining(1n, 1_000_000)).toEqual({ ttl: 600, grantedTtl: long });
    expect(lessor.remaining(2n, 1_000_000)).toEqual({ ttl: long, grantedTtl: long });
  });

  it('is to be cleared before a renewal, also while it is on its way, and by the leader alone', () => {
    const lessor = leader({ checkpointMs: MINUTES_5 });
    lessor.grant(1n, long);
    lessor.dueCheckpoints(0, 10);
    expect(lessor.mustClear(1n)).toBe(false);
    lessor.dueCheckpoints(MINUTES_5, 10);
    expect(lessor.mustClear(1n)).toBe(true);
    lessor.checkpoint(1n, 3300, true);
    expect(lessor.mustClear(1n)).toBe(true);
    lessor.checkpoint(1n, 0, true);
    expect(lessor.mustClear(1n)).toBe(false);
    expect(lessor.mustClear(9n)).toBe(false);
    lessor.checkpoint(1n, 3300, true);
    lessor.demote();
    expect(lessor.mustClear(1n)).toBe(false);
  });

  it('is stored only where it is to be', () => {
    const backend = backendOf();
    const lessor = new Lessor(backend, { checkpointMs: MINUTES_5 });
    lessor.grant(1n, long);
    const row = () => StoredLease.decode(backend.get(Bucket.lease, Buffer.from('0000000000000001', 'hex'))!);
    lessor.checkpoint(1n, 600, false);
    expect(row().remainingTtl).toBe(0);
    lessor.checkpoint(1n, 600, true);
    expect(row().remainingTtl).toBe(600);
  });
});
