import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../src/kube/machinery/api-error.js';
import type { FieldSet } from '../../../src/kube/machinery/apply/field-set.js';
import { pathsOf } from '../../../src/kube/machinery/apply/field-set.js';
import { trackUpdate } from '../../../src/kube/machinery/apply/managed-fields.js';
import { applyServerSide, LAST_APPLIED } from '../../../src/kube/machinery/apply/server-side-apply.js';
import { copyJson } from '../../../src/kube/machinery/json-value.js';
import type { KubeObject, ManagedFieldsEntry } from '../../../src/kube/machinery/object.js';
import type { Schema } from '../../../src/kube/machinery/schema.js';
import { schemaOf } from '../../../src/kube/machinery/types/index.js';

const deployments = schemaOf('apps.v1/Deployment');
const configMaps = schemaOf('core.v1/ConfigMap');
const NOW = '2026-01-02T03:04:05Z';

interface ApplyOptions {
  manager?: string;
  force?: boolean;
  subresource?: string;
  now?: string;
}
function apply(schema: Schema, live: KubeObject | null, config: any, options: ApplyOptions = {}) {
  const before = JSON.stringify([live, config]);
  const { manager = 'm', force = false, subresource = '', now = NOW } = options;
  const request = { schema, live, config, manager, force, subresource, apiVersion: config.apiVersion ?? 'v1', now };
  const result = applyServerSide(request);
  expect(JSON.stringify([live, config])).toBe(before);
  return result;
}
function update(schema: Schema, old: KubeObject | null, change: (object: any) => void, options: ApplyOptions = {}) {
  const object = old === null ? ({ apiVersion: 'v1', kind: 'K', metadata: {} } as KubeObject) : copyJson(old);
  change(object);
  const { manager = 'u', subresource = '', now = NOW } = options;
  const managedFields = trackUpdate({
    schema,
    old,
    object,
    manager,
    operation: 'Update',
    subresource,
    apiVersion: object.apiVersion,
    now,
  });
  object.metadata.managedFields = managedFields;
  return object;
}
function refusal(run: () => unknown): ApiError {
  try {
    run();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('not refused');
}
const owners = (object: KubeObject): Record<string, string[]> =>
  Object.fromEntries(
    (object.metadata.managedFields ?? []).map((entry) => [entry.manager, pathsOf(entry.fieldsV1 as FieldSet)]),
  );
const cm = (data: object | undefined, metadata: object = {}): any => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', ...metadata },
  ...(data === undefined ? {} : { data }),
});

describe('server-side apply', () => {
  it('creates with the fields of the configuration as the manager’s own', () => {
    const config = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', labels: { app: 'web' }, creationTimestamp: null },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'web' } },
        template: { spec: { containers: [{ name: 'nginx', image: 'nginx', ports: [{ containerPort: 80 }] }] } },
      },
    };
    const { object, managedFields, changed } = apply(deployments, null, config, { manager: 'kubectl' });
    expect(changed).toBe(true);
    expect(object.metadata.managedFields).toBe(managedFields);
    expect(object.metadata).not.toHaveProperty('creationTimestamp');
    expect(managedFields).toEqual([
      {
        manager: 'kubectl',
        operation: 'Apply',
        apiVersion: 'apps/v1',
        time: NOW,
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': { 'f:labels': { 'f:app': {} } },
          'f:spec': {
            'f:replicas': {},
            'f:selector': {},
            'f:template': {
              'f:spec': {
                'f:containers': {
                  'k:{"name":"nginx"}': {
                    '.': {},
                    'f:image': {},
                    'f:name': {},
                    'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
                  },
                },
              },
            },
          },
        },
      },
    ]);
  });

  it('says nothing changed when nothing did, and keeps the time', () => {
    const first = apply(configMaps, null, cm({ x: '1' }));
    const again = apply(configMaps, first.object, cm({ x: '1' }), { now: '2027-01-01T00:00:00Z' });
    expect(again.changed).toBe(false);
    expect(again.managedFields).toEqual(first.managedFields);
    const more = apply(configMaps, first.object, cm({ x: '2' }), { now: '2027-01-01T00:00:00Z' });
    expect(more.changed).toBe(true);
    expect(more.managedFields[0]!.time).toBe('2027-01-01T00:00:00Z');
  });

  it('removes what the manager names no more, unless another owns it', () => {
    let live = apply(configMaps, null, cm({ x: '1', y: '2', z: '3' })).object;
    live = apply(configMaps, live, cm({ y: '2' }), { manager: 'n' }).object;
    live = apply(configMaps, live, cm({ x: '1' })).object;
    expect(live.data).toEqual({ x: '1', y: '2' });
    expect(owners(live)).toEqual({ m: ['.data.x'], n: ['.data.y'] });
    live = apply(configMaps, live, cm(undefined)).object;
    expect(live.data).toEqual({ y: '2' });
    live = apply(configMaps, live, cm(undefined), { manager: 'n' }).object;
    expect(live).not.toHaveProperty('data');
    expect(live.metadata).not.toHaveProperty('managedFields');
  });

  it('tells one conflict as clients know it', () => {
    const live = apply(configMaps, null, cm({ x: '1' }), { manager: 'a' }).object;
    const error = refusal(() => apply(configMaps, live, cm({ x: '2' }), { manager: 'b' }));
    expect(error.toStatus()).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "a": .data.x',
      details: { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "a"', field: '.data.x' }] },
    });
    const forced = apply(configMaps, live, cm({ x: '2' }), { manager: 'b', force: true });
    expect(forced.object.data).toEqual({ x: '2' });
    expect(owners(forced.object)).toEqual({ b: ['.data.x'] });
  });

  it('tells several conflicts by manager', () => {
    const config = (replicas: number, image: string): any => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'w' },
      spec: { replicas, template: { spec: { containers: [{ name: 'c', image }] } } },
    });
    let live = apply(deployments, null, config(1, 'a'), { manager: 'a' }).object;
    live = update(deployments, live, (o) => (o.spec.replicas = 3), { manager: 'kubectl-edit' });
    live = update(deployments, live, (o) => (o.status = { replicas: 3 }), { manager: 'ctl', subresource: 'status' });
    expect(owners(live)['kubectl-edit']).toEqual(['.spec.replicas']);
    expect(owners(live).ctl).toEqual(['.status.replicas']);
    const error = refusal(() => apply(deployments, live, config(2, 'b'), { manager: 'b' }));
    expect(error.message).toBe(
      'Apply failed with 2 conflicts: conflicts with "a":\n- .spec.template.spec.containers[name="c"].image\n' +
        'conflicts with "kubectl-edit" using apps/v1:\n- .spec.replicas',
    );
    const same = apply(deployments, live, config(3, 'a'), { manager: 'b' });
    expect(owners(same.object).b).toEqual(owners(same.object).a!.concat('.spec.replicas').sort());
  });

  it('gives an object that nobody tracked to before-first-apply', () => {
    const { object } = apply(configMaps, cm({ x: '1', y: '1' }, { labels: { l: 'v' } }), cm({ x: '1' }));
    expect(owners(object)).toEqual({
      m: ['.data.x'],
      'before-first-apply': ['.data', '.data.x', '.data.y', '.metadata.labels', '.metadata.labels.l'],
    });
    const error = refusal(() => apply(configMaps, cm({ x: '1' }), cm({ x: '2' })));
    expect(error.message).toBe('Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.x');
  });

  it('lets kubectl have back what it applied from the client’s side', () => {
    const annotation = JSON.stringify(cm({ x: '1', y: '1' }));
    let live = update(
      configMaps,
      null,
      (o) => Object.assign(o, cm({ x: '1', y: '1' }, { annotations: { [LAST_APPLIED]: annotation } })),
      {
        manager: 'kubectl-client-side-apply',
      },
    );
    const { object } = apply(configMaps, live, cm({ x: '2', y: '1' }), { manager: 'kubectl' });
    expect(object.data).toEqual({ x: '2', y: '1' });
    expect(JSON.parse(object.metadata.annotations![LAST_APPLIED]!)).toEqual(cm({ x: '2', y: '1' }));
    // Others have no such right, and kubectl has none to what was edited since.
    expect(refusal(() => apply(configMaps, live, cm({ x: '2' }), { manager: 'other' })).code).toBe(409);
    live = update(configMaps, live, (o) => (o.data.x = 'edited'), { manager: 'e' });
    const error = refusal(() => apply(configMaps, live, cm({ x: '2', y: '2' }), { manager: 'kubectl' }));
    expect(error.message).toBe('Apply failed with 1 conflict: conflict with "e" using v1: .data.x');
  });

  it('takes a null for a removal', () => {
    const live = update(configMaps, null, (o) => Object.assign(o, cm({ x: '1', y: '1' })));
    expect(apply(configMaps, live, cm({ x: null }), { force: true }).object.data).toEqual({ y: '1' });
  });

  it('refuses configurations that cannot be applied', () => {
    const managed = cm({}, { managedFields: [{ manager: 'x' }] });
    expect(refusal(() => apply(configMaps, null, managed)).message).toBe('metadata.managedFields must be nil');
    const twice = { apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: { containers: [{ name: 'a' }, { name: 'a' }] } };
    expect(refusal(() => apply(schemaOf('core.v1/Pod'), null, twice)).message).toBe(
      '.spec.containers: duplicate entries for key [name="a"]',
    );
    const nameless = { apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: { containers: [{ image: 'a' }] } };
    expect(refusal(() => apply(schemaOf('core.v1/Pod'), null, nameless)).code).toBe(400);
  });

  it('of /status owns status alone', () => {
    const live = apply(deployments, null, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'w' },
      spec: { replicas: 1 },
    }).object;
    const config = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'w' }, status: { replicas: 1 } };
    const { managedFields } = apply(deployments, live, config, { subresource: 'status' });
    expect(managedFields.map((e) => [e.subresource, pathsOf(e.fieldsV1 as FieldSet)])).toEqual([
      [undefined, ['.spec.replicas']],
      ['status', ['.status.replicas']],
    ]);
  });
});

describe('updates', () => {
  it('own on create what Kubernetes says they own', () => {
    const sent = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', labels: { app: 'web' } },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: 'web' } },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: {
            containers: [{ name: 'nginx', image: 'nginx', ports: [{ containerPort: 80 }], resources: {} }],
            securityContext: {},
            restartPolicy: 'Always',
          },
        },
      },
    };
    const live = update(deployments, null, (o) => Object.assign(o, sent), { manager: 'kubectl-create' });
    expect(live.metadata.managedFields![0]!.fieldsV1).toEqual({
      'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
      'f:spec': {
        'f:replicas': {},
        'f:selector': {},
        'f:strategy': { 'f:rollingUpdate': { '.': {}, 'f:maxSurge': {} }, 'f:type': {} },
        'f:template': {
          'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
          'f:spec': {
            'f:containers': {
              'k:{"name":"nginx"}': {
                '.': {},
                'f:image': {},
                'f:name': {},
                'f:ports': {
                  '.': {},
                  'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} },
                },
                'f:resources': {},
              },
            },
            'f:restartPolicy': {},
            'f:securityContext': {},
          },
        },
      },
    });
  });

  it('own what they add, and take it from others', () => {
    let live = update(configMaps, null, (o) => Object.assign(o, cm({ x: '1', y: '1' })), { manager: 'a' });
    expect(owners(live)).toEqual({ a: ['.data', '.data.x', '.data.y'] });
    live = update(configMaps, live, (o) => (o.data.x = '2'), { manager: 'b', now: '2026-02-01T00:00:00Z' });
    expect(owners(live)).toEqual({ a: ['.data', '.data.y'], b: ['.data.x'] });
    live = update(configMaps, live, (o) => delete o.data.x, { manager: 'a', now: '2026-03-01T00:00:00Z' });
    expect(owners(live)).toEqual({ a: ['.data', '.data.y'] });
    expect(live.metadata.managedFields![0]!.time).toBe(NOW);
  });

  it('leave the entries alone when nothing changed', () => {
    const live = update(configMaps, null, (o) => Object.assign(o, cm({ x: '1' })), { manager: 'a' });
    const again = update(configMaps, live, (o) => (o.metadata.resourceVersion = '9'), { manager: 'b', now: 'later' });
    expect(again.metadata.managedFields).toEqual(live.metadata.managedFields);
  });

  it('that keep a null own nothing by it', () => {
    const open: Schema = {
      type: 'object',
      properties: () => new Map([['spec', { type: 'any', preserveUnknown: true }]]),
    };
    const live = update(open, null, (o) => (o.spec = { a: null, b: 1 }), { manager: 'a' });
    expect(owners(live)).toEqual({ a: ['.spec', '.spec.a', '.spec.b'] });
    const again = update(open, live, (o) => (o.spec.b = 2), { manager: 'b' });
    expect(owners(again)).toEqual({ a: ['.spec', '.spec.a'], b: ['.spec.b'] });
  });

  it('do not track what was not tracked from the start', () => {
    expect(update(configMaps, cm({ x: '1' }), (o) => (o.data.x = '2')).metadata.managedFields).toEqual([]);
  });

  it('let a client edit and reset managedFields, but not by leaving them out', () => {
    const live = apply(configMaps, null, cm({ x: '1' })).object;
    const kept = update(configMaps, live, (o) => delete o.metadata.managedFields);
    expect(kept.metadata.managedFields).toEqual(live.metadata.managedFields);
    expect(update(configMaps, live, (o) => (o.metadata.managedFields = [])).metadata.managedFields).toEqual(
      live.metadata.managedFields,
    );
    expect(update(configMaps, live, (o) => (o.metadata.managedFields = [{}])).metadata.managedFields).toEqual([]);
    const renamed = update(configMaps, live, (o) => (o.metadata.managedFields[0].manager = 'other'));
    expect(owners(renamed)).toEqual({ other: ['.data.x'] });
    const nonsense = update(configMaps, live, (o) => (o.metadata.managedFields[0].operation = 'Nonsense'));
    expect(nonsense.metadata.managedFields).toEqual(live.metadata.managedFields);
    const broken = update(configMaps, live, (o) => (o.metadata.managedFields[0].fieldsV1 = { 'k:{': {} }));
    expect(broken.metadata.managedFields).toEqual(live.metadata.managedFields);
  });

  it('of many managers are folded, the oldest first', () => {
    let live = update(configMaps, null, (o) => Object.assign(o, cm({ k0: '' })), { manager: 'm0' });
    for (let i = 1; i < 14; i++) {
      const now = `2026-02-01T00:00:${String(i).padStart(2, '0')}Z`;
      live = update(configMaps, live, (o) => (o.data[`k${i}`] = ''), { manager: `m${i}`, now });
    }
    const entries = live.metadata.managedFields as ManagedFieldsEntry[];
    expect(entries.length).toBe(10);
    expect(entries[0]!.manager).toBe('ancient-changes');
    expect(entries[0]!.time).toBe('2026-02-01T00:00:04Z');
    expect(owners(live)['ancient-changes']).toEqual([
      '.data',
      '.data.k0',
      '.data.k1',
      '.data.k2',
      '.data.k3',
      '.data.k4',
    ]);
  });
});

/** Stories played by upstream's structured-merge-diff 4.7 and recorded, with the schema they were played in. */
describe('as the library of Kubernetes does it', () => {
  const struct = (members: Record<string, Schema>, more: Partial<Schema> = {}): Schema => {
    const map = new Map(Object.entries(members));
    return { type: 'object', properties: () => map, ...more };
  };
  const string: Schema = { type: 'string' };
  const number: Schema = { type: 'number' };
  const labels: Schema = { type: 'object', additionalProperties: string };
  const innerMembers = new Map<string, Schema>();
  const inner: Schema = { type: 'object', properties: () => innerMembers };
  for (const [name, schema] of Object.entries({ x: number, y: string, deep: inner, labels }))
    innerMembers.set(name, schema);
  const port = struct({ port: number, protocol: { type: 'string', default: 'TCP' }, note: string });
  const ports: Schema = { type: 'array', items: port, listType: 'map', listMapKeys: ['port', 'protocol'] };
  const item = struct({ name: string, image: string, deep: inner, ports });
  const root = struct({
    a: string,
    b: number,
    struct: inner,
    atom: struct({ x: number, y: string }, { mapType: 'atomic' }),
    alist: { type: 'array', items: string },
    set: { type: 'array', items: string, listType: 'set' },
    items: { type: 'array', items: item, listType: 'map', listMapKeys: ['name'] },
    ports,
    labels,
    structs: { type: 'object', additionalProperties: inner },
  });
  interface Step {
    operation: 'apply' | 'update';
    manager: string;
    force: boolean;
    object: any;
    live: any;
    managers: Record<string, FieldSet>;
    conflicts?: string[];
  }
  const stories = JSON.parse(
    readFileSync(new URL('./testdata/apply-scenarios.json', import.meta.url), 'utf8'),
  ) as Step[][];
  stories.forEach((story, i) => {
    it(`story ${i}`, () => {
      let live: any = { metadata: {} };
      for (const { operation, manager, force, object, live: after, managers, conflicts } of story) {
        const play = (): void => {
          if (operation === 'apply') live = apply(root, live, object, { manager, force }).object;
          else {
            const untracked = (live.metadata.managedFields ?? []).length === 0;
            const next = update(
              root,
              untracked ? null : live,
              (o) => {
                for (const name of Object.keys(o)) if (name !== 'metadata') delete o[name];
                Object.assign(o, object);
              },
              { manager },
            );
            live = next;
          }
        };
        if (conflicts === undefined) play();
        else {
          const causes = refusal(play).details!.causes!;
          expect(causes.map((c) => `${/"(.*)"/.exec(c.message!)![1]} ${c.field}`).sort()).toEqual(conflicts);
        }
        const { metadata: _, ...members } = live;
        expect(members).toEqual(after);
        expect(owners(live)).toEqual(
          Object.fromEntries(Object.entries(managers).map(([name, fields]) => [name, pathsOf(fields)])),
        );
      }
    });
  });
});
