import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiError } from '../../../src/kube/machinery/api-error.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import type { ObjectStore } from '../../../src/kube/registry/index.js';
import type { TestStore } from '../support/store.js';
import { describeBackends, MAPS, map, startStore, TestRegistry } from '../support/store.js';

async function refusal(promise: Promise<unknown>): Promise<ApiError> {
  const error = await promise.then(
    () => new Error('it was not refused'),
    (err: unknown) => err,
  );
  if (!(error instanceof ApiError)) throw error;
  return error;
}

describeBackends('objects in a folder', (kind) => {
  let backend: TestStore;
  let t: TestRegistry;
  let store: ObjectStore;

  beforeAll(async () => {
    backend = await startStore(kind);
    t = new TestRegistry(backend.endpoint);
    store = t.maps();
  });

  afterAll(async () => {
    await t?.stop();
    await backend?.stop();
  });

  it('creates once, as JSON without a resourceVersion', async () => {
    const made = await store.create('d', 'a', map('a', { x: '1' }));
    const { kvs } = await t.client.get(`${t.prefix}/configmaps/d/a`);
    expect(made.metadata.resourceVersion).toBe(String(kvs[0]!.modRevision));
    const stored = JSON.parse(kvs[0]!.value.toString());
    expect(Object.keys(stored)).toEqual(['apiVersion', 'kind', 'metadata', 'data']);
    expect(stored.metadata).not.toHaveProperty('resourceVersion');
    expect(await store.get('d', 'a')).toEqual(made);
    const again = await refusal(store.create('d', 'a', map('a')));
    expect([again.code, again.message]).toEqual([409, 'configmaps "a" already exists']);
    const missing = await refusal(store.get('d', 'zz'));
    expect([missing.code, missing.message]).toEqual([404, 'configmaps "zz" not found']);
  });

  it('writes nothing on a dry run', async () => {
    await store.create('d', 'dry', map('dry'), { dryRun: true });
    expect((await refusal(store.get('d', 'dry'))).code).toBe(404);
    expect((await refusal(store.create('d', 'a', map('a'), { dryRun: true }))).code).toBe(409);
    const before = await store.get('d', 'a');
    await store.update('d', 'a', () => ({ remove: true }), { dryRun: true });
    const changed = await store.update('d', 'a', (o) => ({ object: { ...o!, data: { x: 'dry' } } }), { dryRun: true });
    expect(changed.data).toEqual({ x: 'dry' });
    expect(await store.get('d', 'a')).toEqual(before);
  });

  it('updates, but not what stays the same', async () => {
    const before = await store.get('d', 'a');
    const change = (o: KubeObject | null) => ({ object: { ...o!, data: { x: '2' } } });
    const after = await store.update('d', 'a', change);
    expect(Number(after.metadata.resourceVersion)).toBeGreaterThan(Number(before.metadata.resourceVersion));
    const same = await store.update('d', 'a', change);
    expect(same.metadata.resourceVersion).toBe(after.metadata.resourceVersion);
    const reordered = await store.update('d', 'a', (o) => ({ object: { data: o!.data, ...o! } }));
    expect(reordered.metadata.resourceVersion).toBe(after.metadata.resourceVersion);
    expect(await store.get('d', 'a')).toEqual(after);
    expect((await refusal(store.update('d', 'zz', change))).code).toBe(404);
    const made = await store.update('d', 'up', (o) => ({ object: o ?? map('up') }), { allowMissing: true });
    expect(await store.get('d', 'up')).toEqual(made);
  });

  it('holds preconditions', async () => {
    const now = await store.get('d', 'a');
    const remove = () => ({ remove: true }) as const;
    const uid = await refusal(store.update('d', 'a', remove, { preconditions: { uid: 'other' } }));
    expect(uid.code).toBe(409);
    expect(uid.message).toContain(
      `Precondition failed: UID in precondition: other, UID in object meta: ${now.metadata.uid}`,
    );
    expect((await refusal(store.update('d', 'a', remove, { preconditions: { resourceVersion: '1' } }))).code).toBe(409);
    const gone = await store.update('d', 'a', remove, {
      preconditions: { uid: now.metadata.uid!, resourceVersion: now.metadata.resourceVersion! },
    });
    expect(Number(gone.metadata.resourceVersion)).toBeGreaterThan(Number(now.metadata.resourceVersion));
    expect((await refusal(store.get('d', 'a'))).code).toBe(404);
  });

  it('starts from a stale copy, and believes the store', async () => {
    const stale = await store.create('d', 'st', map('st', { n: '1' }));
    await store.update('d', 'st', (o) => ({ object: { ...o!, data: { n: '2' } } }));
    const seen: string[] = [];
    const bump = (o: KubeObject | null) => {
      seen.push(o!.data.n);
      if (o!.data.n === '1') throw new Error('refused in an old state');
      return { object: { ...o!, data: { n: '3' } } };
    };
    expect((await store.update('d', 'st', bump, { cached: stale })).data.n).toBe('3');
    expect(seen).toEqual(['1', '2']);
    const same = (o: KubeObject | null) => ({ object: { ...o!, data: { n: '1' } } });
    expect((await store.update('d', 'st', same, { cached: stale })).data.n).toBe('1');
    expect((await store.get('d', 'st')).data.n).toBe('1');
  });

  it('loses no update of 50 at once', async () => {
    await store.create('d', 'count', map('count', { n: '0' }));
    const add = (o: KubeObject | null) => ({ object: { ...o!, data: { n: String(Number(o!.data.n) + 1) } } });
    await Promise.all(Array.from({ length: 50 }, () => store.update('d', 'count', add)));
    expect((await store.get('d', 'count')).data.n).toBe('50');
  });

  it('refuses what is too large, and keeps nothing of it', async () => {
    for (const size of [1_600_000, 3_000_000]) {
      const error = await refusal(store.create('d', 'huge', map('huge', { x: 'x'.repeat(size) })));
      expect([error.code, error.reason]).toEqual([413, 'RequestEntityTooLarge']);
    }
    expect((await refusal(store.get('d', 'huge'))).code).toBe(404);
  });

  it('waits for a revision, and says when it is too large', async () => {
    const { metadata } = await store.get('d', 'count');
    expect((await store.get('d', 'count', '0')).data.n).toBe('50');
    expect((await store.get('d', 'count', metadata.resourceVersion)).data.n).toBe('50');
    const later = String(Number(metadata.resourceVersion) + 100_000);
    for (const request of [
      () => store.get('d', 'count', later),
      () => store.list({ namespace: 'd', resourceVersion: later }),
      () => store.list({ namespace: 'd', resourceVersion: later, resourceVersionMatch: 'Exact' }),
    ]) {
      const error = await refusal(request());
      expect([error.code, error.reason]).toEqual([504, 'Timeout']);
      expect(error.message).toMatch(new RegExp(`^Timeout: Too large resource version: ${later}, current: \\d+$`));
      expect(error.details).toEqual({
        causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
        retryAfterSeconds: 1,
      });
    }
    expect((await refusal(store.get('d', 'count', 'abc'))).code).toBe(400);
  });

  it('gives objects of a TTL one lease for all of a minute', async () => {
    const events = t.registry.store({ ...MAPS, dir: 'events', ttlSeconds: 3600 });
    await Promise.all(['a', 'b', 'c'].map((name) => events.create('d', name, map(name))));
    const { kvs } = await t.client.get(`${t.prefix}/events/`, { prefix: true });
    const leases = new Set(kvs.map((kv) => kv.lease));
    expect(leases.size).toBe(1);
    const [lease] = leases;
    expect((await t.client.lease.timeToLive(lease!)).grantedTtl).toBe(3660);
    await t.client.lease.revoke(lease!);
    await events.create('d', 'a', map('a'));
  });

  it('makes 1,000 objects at once, and lists them in order', async () => {
    const many = t.maps('many');
    const names = Array.from({ length: 1000 }, (_, i) => `n${String(i).padStart(4, '0')}`);
    const made = await Promise.all(names.map((name) => many.create('d', name, map(name))));
    expect(new Set(made.map((o) => o.metadata.resourceVersion)).size).toBe(1000);
    const { items } = await many.list({ namespace: '' });
    expect(items.map((o) => o.metadata.name)).toEqual(names);
    expect(new Map(items.map((o) => [o.metadata.name, o.metadata.resourceVersion]))).toEqual(
      new Map(made.map((o) => [o.metadata.name, o.metadata.resourceVersion])),
    );
  });
});

describe('a store that is not there', () => {
  it('is 503 or 504, with a time to come back', async () => {
    const t = new TestRegistry('127.0.0.1:1', {}, { requestTimeoutMs: 100 });
    for (const request of [
      () => t.registry.healthy(),
      () => t.maps().get('d', 'a', ''),
      () => t.maps().create('d', 'a', map('a')),
    ]) {
      const error = await refusal(request());
      expect([503, 504]).toContain(error.code);
      expect(error.details?.retryAfterSeconds).toBe(1);
    }
    await t.stop();
  });
});
