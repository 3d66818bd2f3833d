import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningControllers } from '../../../src/kube/app/controllers.js';
import { CONTROLLERS, selectControllers, startControllers } from '../../../src/kube/app/controllers.js';
import type { StartController } from '../../../src/kube/kit/index.js';
import { DEPLOYMENTS, fromKubeconfig, HttpApiClient, isNotFound, LEASES, PODS } from '../../../src/kube/kit/index.js';
import { nullLogger } from '../../../src/util/log.js';
import { Plane } from '../support/plane.js';

const idle: StartController = () => ({ name: 'idle', stop: async () => {} });
const ALL = { 'a-controller': idle, 'b-controller': idle, c: idle };
const names = (...selection: string[]) => selectControllers(selection, ALL).map(([name]) => name);

describe('--controllers', () => {
  test.each([
    [['*'], ['a-controller', 'b-controller', 'c']],
    [[], []],
    [
      ['*', '-b-controller'],
      ['a-controller', 'c'],
    ],
    [
      ['-b', '*'],
      ['a-controller', 'c'],
    ],
    [
      ['c', 'a'],
      ['a-controller', 'c'],
    ],
    [['-a'], []],
    [['a', '-a'], ['a-controller']],
  ])('%j: %j', (selection, expected) => {
    expect(names(...selection)).toEqual(expected);
  });

  test('a name that is none is refused', () => {
    expect(() => names('*', '-nope')).toThrow(
      '--controllers: "nope" is unknown; there are a-controller, b-controller, c',
    );
    expect(Object.keys(CONTROLLERS)).toEqual(
      expect.arrayContaining(['deployment-controller', 'replicaset-controller']),
    );
  });
});

describe('loops beside the server', () => {
  let plane: Plane;
  let client: HttpApiClient;
  beforeAll(async () => {
    plane = await Plane.start('embedded', { controllers: ['deployment', 'replicaset'] });
    client = new HttpApiClient(fromKubeconfig(plane.kube.kubeconfig));
  });
  afterAll(async () => {
    client?.close();
    await plane?.stop();
  });
  async function until(what: string, ask: () => Promise<boolean> | boolean): Promise<void> {
    for (const late = Date.now() + 10_000; Date.now() < late; ) {
      if (await ask()) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`waited in vain for ${what}`);
  }
  const holder = async () => {
    try {
      return (await client.resource(LEASES).get('kube-system', 'kube-controller-manager')).spec
        .holderIdentity as string;
    } catch (err) {
      if (isNotFound(err)) return '';
      throw err;
    }
  };

  test('a Deployment gets its pods, and the Lease tells who leads', async () => {
    const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'x' }] } };
    await client.resource(DEPLOYMENTS).create('default', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'x', namespace: 'default' },
      spec: { replicas: 2, selector: { matchLabels: { app: 'x' } }, template },
    });
    await until('pods', async () => (await client.resource(PODS).list('default')).items.length === 2);
    expect(await holder()).toMatch(/_[0-9a-f-]{36}$/);
  });

  test('of two replicas one runs the loops; the other takes over when it stops', async () => {
    const second = await Plane.start('embedded');
    const runs: string[] = [];
    const running = new Set<string>();
    const start = (identity: string): RunningControllers =>
      startControllers({
        client: fromKubeconfig(second.kube.kubeconfig),
        log: nullLogger,
        identity,
        retryMs: 50,
        loops: [
          [
            'probe',
            () => {
              runs.push(identity);
              running.add(identity);
              return { name: 'probe', stop: async () => void running.delete(identity) };
            },
          ],
        ],
      });
    const a = start('a');
    await until('a to lead', () => a.leading && running.has('a'));
    const b = start('b');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(b.leading).toBe(false);
    await a.stop();
    expect(running.size).toBe(0);
    await until('b to lead', () => b.leading && running.has('b'));
    await b.stop();
    expect(runs).toEqual(['a', 'b']);
    expect(running.size).toBe(0);
    await second.stop();
  });
});
