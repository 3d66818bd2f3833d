import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { definitionKind } from '../../../src/kube/crd/definition-kind.js';
import type { ApiService, Definition } from '../../../src/kube/crd/index.js';
import { ApiServices, CrdKeeper, extensionKinds } from '../../../src/kube/crd/index.js';
import { apiServiceKind } from '../../../src/kube/kinds/api-service.js';
import { configMapKind } from '../../../src/kube/kinds/config-map.js';
import { KindRegistry } from '../../../src/kube/kinds/kind-registry.js';
import type { ApiError } from '../../../src/kube/machinery/api-error.js';
import { makeTable } from '../../../src/kube/machinery/table.js';
import { serverContext } from '../../../src/kube/rest/keeper.js';
import { openResources } from '../../../src/kube/rest/open-resources.js';
import type { Resource, Resources } from '../../../src/kube/rest/resource.js';
import type { TestStore } from '../support/store.js';
import { startStore, TestRegistry } from '../support/store.js';
import { definition } from './sample.js';

const NOW = Date.parse('2026-03-01T10:00:00Z');
const GROUP = 'samplecrd.example.com';
const NAME = `networks.${GROUP}`;

describe('custom resources in a running server', () => {
  let store: TestStore;
  let t: TestRegistry;
  let kinds: KindRegistry;
  let resources: Resources;
  let keeper: CrdKeeper;
  let services: ApiServices;
  let changes = 0;
  let wake: () => void = () => {};
  const closed: string[] = [];
  const timers = new Set<() => void>();
  const context = serverContext('test');

  beforeAll(async () => {
    store = await startStore('keel');
  });
  afterAll(async () => store?.stop());
  beforeEach(async () => {
    t = new TestRegistry(store.endpoint);
    kinds = new KindRegistry([configMapKind, apiServiceKind, ...extensionKinds]);
    const admission = { admit: async () => {}, validate: async () => {} };
    resources = openResources({ registry: t.registry, kinds, admission, now: () => NOW });
    closed.length = 0;
    timers.clear();
    keeper = new CrdKeeper({
      resources,
      kinds,
      close: async (dir) => void closed.push(dir),
      onKindsChanged: () => {
        changes++;
        wake();
      },
      now: () => NOW,
      setTimer: (run) => {
        timers.add(run);
        return () => timers.delete(run);
      },
      onError: (error) => {
        throw error;
      },
    });
    services = new ApiServices({
      resources,
      kinds,
      now: () => NOW,
      onError: (error) => {
        throw error;
      },
    });
    await keeper.start();
  });
  afterEach(async () => {
    keeper.stop();
    services.stop();
    await t.stop();
  });

  /** The next time that kinds came or went, and it is so. */
  const until = async (so: () => boolean): Promise<void> => {
    while (!so()) await new Promise<void>((resolve) => (wake = resolve));
  };
  const served = (version = 'v1'): Resource | undefined => {
    const kind = kinds.find(GROUP, version, 'networks');
    return kind === undefined ? undefined : resources.of(kind);
  };
  const define = async (crd: Definition): Promise<void> => {
    await resources.of(definitionKind).create(context, '', crd);
  };
  const conditions = async (name = NAME): Promise<Record<string, string>> => {
    const crd = (await resources.of(definitionKind).get('', name)) as Definition;
    return Object.fromEntries((crd.status?.conditions ?? []).map((c) => [c.type, `${c.status} ${c.reason}`]));
  };
  const network = (name: string, spec: any = { cidr: '10.' }, more: object = {}): any => ({
    apiVersion: `${GROUP}/v1`,
    kind: 'Network',
    metadata: { name },
    spec,
    ...more,
  });
  const refusal = async (work: Promise<unknown>): Promise<string> => {
    try {
      await work;
    } catch (error) {
      return `${(error as ApiError).code} ${(error as ApiError).message}`;
    }
    throw new Error('not refused');
  };

  it('are served once they are established', async () => {
    await define(definition({ subresources: { status: {} } }));
    await until(() => served() !== undefined);
    const crd = (await resources.of(definitionKind).get('', NAME)) as Definition;
    expect(crd.status).toEqual({
      conditions: [
        {
          type: 'NamesAccepted',
          status: 'True',
          reason: 'NoConflicts',
          message: 'no conflicts found',
          lastTransitionTime: '2026-03-01T10:00:00Z',
        },
        {
          type: 'Established',
          status: 'True',
          reason: 'InitialNamesAccepted',
          message: 'the initial names have been accepted',
          lastTransitionTime: '2026-03-01T10:00:00Z',
        },
      ],
      acceptedNames: {
        plural: 'networks',
        singular: 'network',
        kind: 'Network',
        listKind: 'NetworkList',
        shortNames: ['net'],
      },
      storedVersions: ['v1'],
    });
    const { object } = await served()!.create(context, 'd', network('a', { cidr: '10.' }, { status: { replicas: 3 } }));
    expect(object.spec).toEqual({ cidr: '10.', gateway: 'auto', replicas: 1 });
    expect(object).not.toHaveProperty('status');
    expect(object.metadata.generation).toBe(1);
    expect(await refusal(served()!.create(context, 'd', network('b', {})))).toBe(
      `422 Network.${GROUP} "b" is invalid: spec.cidr: Required value`,
    );
    expect(await refusal(served()!.update(context, 'd', 'a', network('a'), ''))).toBe(
      `422 Network.${GROUP} "a" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update`,
    );
    const status = await served()!.patch(
      context,
      'd',
      'a',
      { type: 'merge', body: { status: { replicas: 5 } }, force: false },
      'status',
    );
    expect(status.object).toMatchObject({ status: { replicas: 5 }, metadata: { generation: 1 } });
    const wrong = { type: 'merge', body: { status: { replicas: 'x' } }, force: false } as const;
    expect(await refusal(served()!.patch(context, 'd', 'a', wrong, 'status'))).toMatch('must be of type integer');
    const strategic = { type: 'strategic', body: {}, force: false } as const;
    expect(await refusal(served()!.patch(context, 'd', 'a', strategic, ''))).toMatch(/^415 /);
  });

  it('without a status of their own are one whole', async () => {
    await define(definition());
    await until(() => served() !== undefined);
    const body = network('a', { cidr: '10.' }, { status: { replicas: 1 } });
    const apply = { type: 'apply', body, force: false } as const;
    const { object } = await served()!.patch(context, 'd', 'a', apply, '');
    expect(object.status).toEqual({ replicas: 1 });
    expect(object.metadata.managedFields![0]!.fieldsV1).toEqual({
      'f:spec': { 'f:cidr': {} },
      'f:status': { 'f:replicas': {} },
    });
    const merged = { type: 'merge', body: { status: { replicas: 2 } }, force: false } as const;
    const next = await served()!.patch({ ...context, fieldManager: 'other' }, 'd', 'a', merged, '');
    expect(next.object.metadata.managedFields!.map((e) => [e.manager, e.fieldsV1])).toEqual([
      ['test', { 'f:spec': { 'f:cidr': {} } }],
      ['other', { 'f:status': { 'f:replicas': {} } }],
    ]);
  });

  it('are shown in every version by its own schema', async () => {
    const narrow = {
      type: 'object',
      properties: { spec: { type: 'object', properties: { cidr: { type: 'string' } } } },
    };
    await define(definition([{ name: 'v1' }, { name: 'v2', schema: { openAPIV3Schema: narrow } }]));
    await until(() => served('v2') !== undefined);
    await served('v1')!.create(context, 'd', network('a'));
    expect(await served('v2')!.get('d', 'a')).toMatchObject({ apiVersion: `${GROUP}/v2`, spec: { cidr: '10.' } });
    expect((await served('v2')!.get('d', 'a')).spec).toEqual({ cidr: '10.' });
    expect((await served('v1')!.get('d', 'a')).spec.gateway).toBe('auto');
  });

  it('follow their definition', async () => {
    await define(definition([{ name: 'v1' }, { name: 'v2' }]));
    await until(() => served('v2') !== undefined);
    await resources.of(definitionKind).modify(context, '', NAME, '', (object) => {
      const { spec } = object as Definition;
      spec.versions[1]!.served = false;
      spec.versions[0]!.storage = false;
      spec.versions[1]!.storage = true;
    });
    await until(() => served('v2') === undefined);
    expect(served('v1')).toBeDefined();
    const crd = (await resources.of(definitionKind).get('', NAME)) as Definition;
    expect(crd.status!.storedVersions).toEqual(['v1', 'v2']);
    expect(crd.metadata.generation).toBe(2);
  });

  it('go before their definition goes', async () => {
    await define(definition());
    await until(() => served() !== undefined);
    await served()!.create(context, 'd', network('a'));
    await served()!.create(
      context,
      'e',
      network('b', { cidr: '10.' }, { metadata: { name: 'b', finalizers: ['x.io/y'] } }),
    );
    const deleted = await resources.of(definitionKind).delete(context, '', NAME, {});
    expect(deleted.done).toBe(false);
    await until(() => served()?.kind.verbs?.includes('create') === false);
    await keeper.whenIdle();
    expect((await conditions()).Terminating).toBe('True InstanceDeletionInProgress');
    expect((await served()!.list({ namespace: '' })).items.map((o) => o.metadata.name)).toEqual(['b']);
    await served()!.modify(context, 'e', 'b', '', (object) => void delete object.metadata.finalizers);
    for (const run of [...timers]) run();
    await until(() => served() === undefined);
    await keeper.whenIdle();
    expect(closed).toEqual([`${GROUP}/networks`]);
    expect(await refusal(resources.of(definitionKind).get('', NAME))).toMatch(/^404/);
  });

  it('wait for names that others have', async () => {
    await define(definition());
    await until(() => served() !== undefined);
    const other = definition({}, { names: { plural: 'nets', singular: 'net', kind: 'Net', shortNames: [] } });
    await define(other);
    await until(() => changes > 0);
    let found = await conditions(`nets.${GROUP}`);
    for (let i = 0; i < 50 && found.NamesAccepted === undefined; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      await keeper.whenIdle();
      found = await conditions(`nets.${GROUP}`);
    }
    expect(found).toEqual({ NamesAccepted: 'False SingularConflict', Established: 'False NotAccepted' });
    expect(kinds.find(GROUP, 'v1', 'nets')).toBeUndefined();
    await resources.of(definitionKind).delete(context, '', NAME, {});
    await until(() => kinds.find(GROUP, 'v1', 'nets') !== undefined);
    expect(served()).toBeUndefined();
  });

  it('have APIServices, as all groups', async () => {
    await services.start();
    const list = async (): Promise<string[]> =>
      (await resources.of(apiServiceKind).list({ namespace: '' })).items.map((o) => o.metadata.name!);
    expect(await list()).toEqual(['v1.', 'v1.apiextensions.k8s.io']);
    const core = (await resources.of(apiServiceKind).get('', 'v1.')) as ApiService;
    expect(core).toMatchObject({
      metadata: { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } },
      spec: { version: 'v1', groupPriorityMinimum: 18000, versionPriority: 1 },
      status: {
        conditions: [
          { type: 'Available', status: 'True', reason: 'Local', message: 'Local APIServices are always available' },
        ],
      },
    });
    await define(definition());
    await until(() => served() !== undefined);
    await services.sync();
    expect(await list()).toEqual(['v1.', 'v1.apiextensions.k8s.io', `v1.${GROUP}`]);
    // A server that has not heard of the definition yet leaves the other's work alone.
    const late = new KindRegistry([configMapKind, apiServiceKind, ...extensionKinds]);
    const other = new ApiServices({ resources, kinds: late, now: () => NOW });
    await other.start();
    other.stop();
    expect(await list()).toEqual(['v1.', 'v1.apiextensions.k8s.io', `v1.${GROUP}`]);
    await resources.of(definitionKind).delete(context, '', NAME, {});
    await until(() => served() === undefined);
    for (let i = 0; i < 100 && (await list()).length > 2; i++) await services.sync();
    expect(await list()).toEqual(['v1.', 'v1.apiextensions.k8s.io']);
  });

  it('leave groups that other servers answer for to those', async () => {
    await services.start();
    const metrics: ApiService = {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1beta1.metrics.k8s.io' },
      spec: {
        group: 'metrics.k8s.io',
        version: 'v1beta1',
        service: { namespace: 'kube-system', name: 'metrics-server' },
        groupPriorityMinimum: 100,
        versionPriority: 100,
        caBundle: 'eA==',
      },
    };
    const { object } = await resources.of(apiServiceKind).create(context, '', metrics);
    expect(object.spec.service.port).toBe(443);
    for (let i = 0; i < 100 && services.remote('metrics.k8s.io', 'v1beta1') === undefined; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      await services.sync();
    }
    expect(services.remote('metrics.k8s.io', 'v1beta1')).toEqual({
      name: 'v1beta1.metrics.k8s.io',
      group: 'metrics.k8s.io',
      version: 'v1beta1',
      service: { namespace: 'kube-system', name: 'metrics-server', port: 443 },
      insecureSkipTLSVerify: false,
      ca: Buffer.from('x'),
      available: false,
      groupPriorityMinimum: 100,
      versionPriority: 100,
    });
    expect(services.remotes().length).toBe(1);
    expect(services.remote('', 'v1')).toBeUndefined();
    const row = async (): Promise<unknown> => {
      const found = await resources.of(apiServiceKind).get('', 'v1beta1.metrics.k8s.io');
      return makeTable(apiServiceKind, [found], {}, 'None', NOW).rows[0]!.cells;
    };
    expect(await row()).toEqual(['v1beta1.metrics.k8s.io', 'kube-system/metrics-server', 'Unknown', '0s']);
    await services.setAvailable('v1beta1.metrics.k8s.io', false, 'MissingEndpoints', 'no endpoints');
    expect(await row()).toEqual([
      'v1beta1.metrics.k8s.io',
      'kube-system/metrics-server',
      'False (MissingEndpoints)',
      '0s',
    ]);
    await services.setAvailable('v1beta1.metrics.k8s.io', true, 'Passed', 'all checks passed');
    expect(await row()).toEqual(['v1beta1.metrics.k8s.io', 'kube-system/metrics-server', 'True', '0s']);
    expect(
      await refusal(resources.of(apiServiceKind).create(context, '', { ...metrics, metadata: { name: 'x' } })),
    ).toBe(
      '422 APIService.apiregistration.k8s.io "x" is invalid: metadata.name: Invalid value: "x": must be `spec.version+"."+spec.group`: "v1beta1.metrics.k8s.io"',
    );
  });
});
