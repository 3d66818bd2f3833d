import type { Informer, KubeConfig, ObjectCache, V1ConfigMap } from '@kubernetes/client-node';
import { CoreV1Api, makeInformer, Watch } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KeelClient } from '../../../src/client/index.js';
import type { TestMember } from '../../rpc/support/member.js';
import { startTestMember } from '../../rpc/support/member.js';
import { freePorts } from '../../support/ports.js';
import { Server, until } from '../support/server.js';
import { configOf } from './config.js';

let member: TestMember;
let storePort: number;
let server: Server;
let config: KubeConfig;
let core: CoreV1Api;
let stopping: (() => void)[] = [];

const namespace = 'kube-public';
const MAPS = `/api/v1/namespaces/${namespace}/configmaps`;
/** What the server itself puts there is of no interest. */
const labelSelector = 'mine';

beforeEach(async () => {
  [storePort] = (await freePorts(1)) as [number];
  member = await startTestMember({}, { listenClientUrls: [`http://127.0.0.1:${storePort}`] });
  server = await Server.start({ endpoints: [`127.0.0.1:${storePort}`] });
  config = configOf(server.kube);
  core = config.makeApiClient(CoreV1Api);
});
afterEach(async () => {
  for (const stop of stopping) stop();
  stopping = [];
  await server?.stop();
  await member?.stop();
});

const put = (name: string, n: string, to = core): Promise<V1ConfigMap> =>
  to.createNamespacedConfigMap({ namespace, body: { metadata: { name, labels: { mine: '' } }, data: { n } } });
const change = async (name: string, n: string, to = core): Promise<V1ConfigMap> => {
  const body = await to.readNamespacedConfigMap({ name, namespace });
  return to.replaceNamespacedConfigMap({ name, namespace, body: { ...body, data: { n } } });
};
const remove = (name: string, to = core) => to.deleteNamespacedConfigMap({ name, namespace });

/** An informer as its documentation has it: after an error it is started again. */
class Informed {
  readonly told: string[] = [];
  errors = 0;
  lists = 0;
  readonly informer: Informer<V1ConfigMap> & ObjectCache<V1ConfigMap>;

  constructor() {
    const list = () => {
      this.lists++;
      return core.listNamespacedConfigMap({ namespace, labelSelector });
    };
    this.informer = makeInformer(config, MAPS, list, labelSelector);
    for (const verb of ['add', 'update', 'delete'] as const) {
      this.informer.on(verb, (map: V1ConfigMap) => this.told.push(`${verb} ${map.metadata!.name}=${map.data!.n}`));
    }
    let stopped = false;
    this.informer.on('error', () => {
      this.errors++;
      setTimeout(() => stopped || void this.informer.start(), 50);
    });
    stopping.push(() => {
      stopped = true;
      void this.informer.stop();
    });
  }

  get state(): string[] {
    return this.informer
      .list()
      .map((map) => `${map.metadata!.name}=${map.data!.n}`)
      .sort();
  }
}

describe('informers', () => {
  test('list, then what happens; what they hold is what is there', async () => {
    await put('a', '1');
    const one = new Informed();
    await one.informer.start();
    await until(() => one.told.length === 1, 'the list');
    await put('b', '1');
    await change('a', '2');
    await remove('b');
    await until(() => one.told.length === 4, 'three events');
    expect(one.told).toEqual(['add a=1', 'add b=1', 'update a=2', 'delete b=1']);
    expect(one.state).toEqual(['a=2']);
    expect([one.lists, one.errors]).toEqual([1, 0]);
  });

  test('go on from where they were when server and store come back on the same ports and data', async () => {
    const other = await Server.start({ endpoints: [`127.0.0.1:${storePort}`] });
    stopping.push(() => void other.stop());
    const elsewhere = configOf(other.kube).makeApiClient(CoreV1Api);
    for (const name of ['a', 'b', 'c']) await put(name, '1');
    const one = new Informed();
    await one.informer.start();
    await until(() => one.told.length === 3, 'the list');

    await server.kube.stop();
    await until(() => one.errors > 0, 'the informer to hear of it');
    // What happens while it is away is told when it is back.
    await change('a', '2', elsewhere);
    await remove('b', elsewhere);
    await put('d', '1', elsewhere);
    member = await member.restart();
    await server.open();
    await until(() => one.told.length === 6, 'what happened meanwhile');
    await put('e', '1');
    await change('a', '3');
    await until(() => one.told.length === 8, 'what happens now');
    expect(one.told.slice(3)).toEqual(['update a=2', 'delete b=1', 'add d=1', 'add e=1', 'update a=3']);
    expect(one.state).toEqual(['a=3', 'c=1', 'd=1', 'e=1']);
    expect(one.lists).toBe(1);
  });

  test('list anew where the history is gone', async () => {
    const other = await Server.start({ endpoints: [`127.0.0.1:${storePort}`] });
    stopping.push(() => void other.stop());
    const elsewhere = configOf(other.kube).makeApiClient(CoreV1Api);
    for (const name of ['a', 'b', 'c']) await put(name, '1');
    const one = new Informed();
    await one.informer.start();
    await until(() => one.told.length === 3, 'the list');
    await server.kube.stop();
    await change('a', '2', elsewhere);
    await remove('b', elsewhere);
    const store = new KeelClient({ endpoints: `127.0.0.1:${storePort}` });
    await store.compact((await store.get('x')).header.revision);
    await store.close();
    await change('c', '2', elsewhere);
    await server.open();
    await until(() => one.told.length === 6, 'the new list');
    // The list is compared with what was held: deletions first, each change once.
    expect(one.told.slice(3)).toEqual(['delete b=1', 'update a=2', 'update c=2']);
    expect(one.lists).toBe(2);
    await change('c', '3');
    await until(() => one.told.length === 7, 'what happens now');
    expect(one.state).toEqual(['a=2', 'c=3']);
  });
});

describe('watches', () => {
  const watch = async (query: Record<string, unknown>) => {
    const events: [string, any][] = [];
    let ended: unknown = 'open';
    const controller = await new Watch(config).watch(
      MAPS,
      { labelSelector, ...query } as Record<string, string>,
      (type, object) => events.push([type, object]),
      (err) => {
        ended = err;
      },
    );
    stopping.push(() => controller.abort());
    return { events, ended: () => ended, said: () => events.map(([type, o]) => `${type} ${o.metadata?.name ?? ''}`) };
  };

  test('tell what is there, what happens, and how far they are', async () => {
    await put('a', '1');
    const one = await watch({
      allowWatchBookmarks: true,
      sendInitialEvents: true,
      resourceVersionMatch: 'NotOlderThan',
      timeoutSeconds: 1,
    });
    await until(() => one.events.length === 2, 'the state');
    await change('a', '2');
    await remove('a');
    await until(() => one.ended() !== 'open', 'its time to be over');
    expect(one.ended()).toBeNull();
    expect(one.said().slice(0, 4)).toEqual(['ADDED a', 'BOOKMARK ', 'MODIFIED a', 'DELETED a']);
    expect(one.events[1]![1].metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
  });

  test('end with an error where they cannot begin, and by an abort', async () => {
    const wrong = await watch({ resourceVersion: 'abc' });
    await until(() => wrong.ended() !== 'open', 'the refusal');
    expect(wrong.ended()).toMatchObject({ statusCode: 400 });
    const future = await watch({ resourceVersion: '999999999' });
    await until(() => future.ended() !== 'open', 'the refusal');
    expect(future.ended()).toMatchObject({ statusCode: 504 });
    const one = await watch({});
    stopping.pop()!();
    await until(() => one.ended() !== 'open', 'the end');
    expect(one.ended()).toMatchObject({ name: 'AbortError' });
  });
});
