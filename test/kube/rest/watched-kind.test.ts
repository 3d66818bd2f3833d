import { beforeEach, describe, expect, it } from 'vitest';
import { CachedReader } from '../../../src/kube/admission/cached-reader.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import { WatchedKind } from '../../../src/kube/rest/watched-kind.js';
import type { FakeResource } from '../support/fake-cluster.js';
import { FakeCluster } from '../support/fake-cluster.js';

let cluster: FakeCluster;
let maps: FakeResource;
let timers: { run: () => void; ms: number }[];

beforeEach(() => {
  cluster = new FakeCluster();
  maps = cluster.resource('', 'configmaps');
  timers = [];
});

const options = {
  setTimer: (run: () => void, ms: number) => {
    const timer = { run, ms };
    timers.push(timer);
    return () => {
      timers = timers.filter((other) => other !== timer);
    };
  },
};
const turn = () => new Promise((resolve) => setImmediate(resolve));
const map = (name: string, namespace = 'x', data: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
});
const names = (watched: WatchedKind, namespace?: string) =>
  [...watched.list(namespace)].map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).sort();

/** What a listener heard: `+x/a` came, `~x/a` changed, `-x/a` went. */
function heard(watched: WatchedKind): string[] {
  const list: string[] = [];
  watched.onChange((object, old) => {
    const { namespace, name } = (object ?? old)!.metadata;
    list.push(`${object === null ? '-' : old === null ? '+' : '~'}${namespace}/${name}`);
  });
  return list;
}

describe('a watched kind', () => {
  it('holds what is there, and follows', async () => {
    cluster.seed(map('a'), map('b', 'y'));
    const watched = new WatchedKind(maps, options).start();
    await turn();
    expect(watched.synced).toBe(true);
    const list = heard(watched);
    cluster.seed(map('c'), map('a', 'x', { k: 'v' }));
    maps.remove('y', 'b');
    expect(list).toEqual(['+x/a', '+y/b', '+x/c', '~x/a', '-y/b']);
    expect(names(watched)).toEqual(['x/a', 'x/c']);
    expect(names(watched, 'y')).toEqual([]);
    expect(watched.get('x', 'a')).toMatchObject({ data: { k: 'v' } });
  });

  it('shows nothing of a state that is not whole', async () => {
    cluster.seed(map('a'));
    maps.holdWatch = true;
    const watched = new WatchedKind(maps, options).start();
    await turn();
    expect([watched.synced, names(watched)]).toEqual([false, []]);
    const waited = watched.whenSynced(50);
    expect(timers.map(({ ms }) => ms)).toEqual([50]);
    maps.release();
    expect(await waited).toBe(true);
    expect(timers).toEqual([]);
  });

  it('is waited for no longer than that', async () => {
    maps.holdWatch = true;
    const watched = new WatchedKind(maps, options).start();
    const waited = watched.whenSynced(50);
    timers[0]!.run();
    expect(await waited).toBe(false);
  });

  it('begins anew when its watch ends, and tells what happened meanwhile', async () => {
    cluster.seed(map('a'), map('b'), map('c'));
    const watched = new WatchedKind(maps, options).start();
    await turn();
    const list = heard(watched);
    list.length = 0;
    maps.watchError = new Error('the store is away');
    maps.cutWatches();
    maps.remove('x', 'a');
    cluster.seed(map('b', 'x', { k: 'v' }), map('d'));
    expect(names(watched)).toEqual(['x/a', 'x/b', 'x/c']);
    timers.shift()!.run();
    await turn();
    expect([watched.synced, timers.length]).toEqual([true, 1]);
    maps.watchError = null;
    timers.shift()!.run();
    await turn();
    expect(list.sort()).toEqual(['+x/d', '-x/a', '~x/b']);
    expect(names(watched)).toEqual(['x/b', 'x/c', 'x/d']);
    cluster.seed(map('e'));
    expect(list).toContain('+x/e');
  });

  it('hears nothing after it was stopped', async () => {
    const watched = new WatchedKind(maps, options).start();
    await turn();
    const list = heard(watched);
    watched.stop();
    expect(maps.watchers).toBe(0);
    cluster.seed(map('a'));
    expect(list).toEqual([]);
    const never = new WatchedKind(maps, options);
    never.stop();
    expect(await never.start().whenSynced(1000)).toBe(false);
  });
});

describe('a cached reader', () => {
  it('watches a kind from its first question on, and asks live until that has come', async () => {
    cluster.seed(map('a'));
    maps.holdWatch = true;
    const cached = new CachedReader(cluster, cluster, cluster, options);
    const first = cached.get('', 'configmaps', 'x', 'a');
    await turn();
    timers[0]!.run();
    expect(await first).toMatchObject({ metadata: { name: 'a' } });
    expect(cluster.reads).toEqual(['configmaps/x/a']);
    maps.release();
    expect(await cached.list('', 'configmaps', '')).toHaveLength(1);
    expect(await cached.list('', 'configmaps', 'y')).toEqual([]);
    expect(await cached.get('', 'configmaps', 'x', 'b')).toBeNull();
    expect(cluster.reads).toHaveLength(1);
    expect(maps.watchers).toBe(1);
    cached.stop();
    expect(maps.watchers).toBe(0);
  });

  it('knows nothing of a kind that nobody serves', async () => {
    const cached = new CachedReader(cluster, cluster, cluster, options);
    expect(await cached.get('x', 'ys', '', 'a')).toBeNull();
    expect(await cached.list('x', 'ys', '')).toEqual([]);
  });
});
