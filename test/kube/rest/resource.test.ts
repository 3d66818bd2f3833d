import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Kind } from '../../../src/kube/kinds/kind.js';
import type { JsonObject, KubeObject } from '../../../src/kube/machinery/object.js';
import type { AdmissionRequest } from '../../../src/kube/rest/admission.js';
import { openResources } from '../../../src/kube/rest/open-resources.js';
import type { Patch, PatchType, Resource, Resources, WriteContext } from '../../../src/kube/rest/resource.js';
import { ALICE, refused } from '../support/fake-cluster.js';
import type { TestStore } from '../support/store.js';
import { describeBackends, Seen, startStore, TestRegistry } from '../support/store.js';
import { CONFIG_MAP, DEPLOYMENT, kinds, LEASE, NAMESPACE, object, POD, WIDGET } from './kinds.js';

const NOW = Date.parse('2026-03-01T10:00:00.750Z');

describeBackends('the generic resource', (backendKind) => {
  let backend: TestStore;
  let t: TestRegistry;
  let resources: Resources;
  let admitted: AdmissionRequest[] = [];
  let plugin: (request: AdmissionRequest) => void | Promise<void> = () => {};
  let refuse: (request: AdmissionRequest) => void | Promise<void> = () => {};
  let warnings: string[] = [];
  let now = NOW;

  beforeAll(async () => {
    backend = await startStore(backendKind);
  });
  afterAll(async () => {
    await t?.stop();
    await backend?.stop();
  });
  beforeEach(async () => {
    await t?.stop();
    t = new TestRegistry(backend.endpoint);
    admitted = [];
    plugin = () => {};
    refuse = () => {};
    warnings = [];
    now = NOW;
    const admission = {
      admit: async (request: AdmissionRequest) => {
        admitted.push(request);
        await plugin(request);
      },
      validate: async (request: AdmissionRequest) => refuse(request),
    };
    resources = openResources({ registry: t.registry, kinds, admission, now: () => now });
  });

  const context = (more: Partial<WriteContext> = {}): WriteContext => ({
    user: ALICE,
    dryRun: false,
    fieldManager: 'test',
    fieldValidation: 'Strict',
    warn: (text) => void warnings.push(text),
    ...more,
  });
  const of = (kind: Kind): Resource => resources.of(kind);
  const make = async (kind: Kind, name: string, more: Partial<KubeObject> = {}) =>
    (await of(kind).create(context(), kind.namespaced ? 'd' : '', object(kind, name, more))).object;
  const patch = (type: PatchType, body: unknown, force = false): Patch => ({ type, body: body as JsonObject, force });

  describe('create', () => {
    it('sets what the server sets, and ignores what it would not be told', async () => {
      const sent = object(DEPLOYMENT, 'a', { spec: { image: 'x' }, status: { replicas: 9 } });
      Object.assign(sent.metadata, {
        uid: 'mine',
        creationTimestamp: '2000-01-01T00:00:00Z',
        generation: 7,
        selfLink: '/x',
        deletionTimestamp: '2000-01-01T00:00:00Z',
      });
      const { object: made, created } = await of(DEPLOYMENT).create(context(), 'd', sent);
      expect(created).toBe(true);
      expect(made).toEqual({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: {
          name: 'a',
          namespace: 'd',
          uid: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
          creationTimestamp: '2026-03-01T10:00:00Z',
          generation: 1,
          resourceVersion: expect.stringMatching(/^\d+$/),
          managedFields: expect.anything(),
        },
        spec: { image: 'x', replicas: 1 },
      });
      expect(await of(DEPLOYMENT).get('d', 'a')).toEqual(made);
      expect((await make(POD, 'p')).status).toEqual({ phase: 'Pending' });
    });

    it('refuses what cannot be', async () => {
      const configMaps = of(CONFIG_MAP);
      const text = async (sent: KubeObject) => {
        const error = await refused(configMaps.create(context(), 'd', sent));
        return `${error.code} ${error.message}`;
      };
      expect(await text(object(CONFIG_MAP, ''))).toBe(
        '422 ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
      );
      expect(await text({ ...object(CONFIG_MAP, 'a'), metadata: { name: 'a', namespace: 'other' } })).toBe(
        '400 the namespace of the provided object does not match the namespace sent on the request',
      );
      expect(await text({ ...object(CONFIG_MAP, 'a'), metadata: { name: 'a', resourceVersion: '5' } })).toBe(
        '500 resourceVersion should not be set on objects to be created',
      );
      expect(await text(object(CONFIG_MAP, 'A_'))).toMatch(
        /^422 ConfigMap "A_" is invalid: metadata.name: Invalid value: "A_": a lowercase RFC 1123 subdomain must/,
      );
      const bad = await text({ ...object(CONFIG_MAP, 'a'), metadata: { name: 'a', finalizers: ['x'] } });
      expect(bad).toContain('name is neither a standard finalizer name nor is it fully qualified');
      const noImage = await refused(of(DEPLOYMENT).create(context(), 'd', object(DEPLOYMENT, 'a')));
      expect(noImage.message).toBe('Deployment.apps "a" is invalid: spec.image: Required value');
      expect(noImage.details?.causes).toHaveLength(1);
      await make(CONFIG_MAP, 'a');
      expect(await text(object(CONFIG_MAP, 'a'))).toBe('409 configmaps "a" already exists');
    });

    it('makes names', async () => {
      const sent = { ...object(CONFIG_MAP, ''), metadata: { generateName: `${'n'.repeat(70)}-` } };
      const names = await Promise.all(
        Array.from({ length: 5 }, async () => (await of(CONFIG_MAP).create(context(), 'd', sent)).object.metadata.name),
      );
      expect(new Set(names).size).toBe(5);
      for (const name of names) expect(name).toMatch(/^n{58}[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    });

    it('passes admission in order, and undoes what it did when the write fails', async () => {
      const log: string[] = [];
      plugin = (request) => {
        log.push(`admit ${request.operation} ${request.name}`);
        request.object!.metadata.labels = { by: 'admission' };
        request.object!.metadata.uid = 'forged';
        request.onFailure?.(async () => void log.push('undo'));
      };
      refuse = () => void log.push('validate');
      const { object: made } = await of(CONFIG_MAP).create(context(), 'd', object(CONFIG_MAP, 'a'));
      expect([made.metadata.labels, made.metadata.uid === 'forged']).toEqual([{ by: 'admission' }, false]);
      expect(log.splice(0)).toEqual(['admit CREATE a', 'validate']);
      await refused(of(CONFIG_MAP).create(context(), 'd', object(CONFIG_MAP, 'a')));
      expect(log.splice(0)).toEqual(['admit CREATE a', 'validate', 'undo']);
    });

    it('stores nothing on a dry run', async () => {
      const { object: made } = await of(CONFIG_MAP).create(context({ dryRun: true }), 'd', object(CONFIG_MAP, 'a'));
      expect(made.metadata.uid).toBeDefined();
      expect((await refused(of(CONFIG_MAP).get('d', 'a'))).code).toBe(404);
    });
  });

  describe('update', () => {
    it('replaces the main part, leaves status alone, counts generations', async () => {
      const made = await make(DEPLOYMENT, 'a', { spec: { image: 'x' } });
      const put = { ...made, spec: { image: 'y', replicas: 1 }, status: { replicas: 5 } };
      const { object: changed } = await of(DEPLOYMENT).update(context(), 'd', 'a', put, '');
      expect([changed.metadata.generation, changed.spec.image, changed.status]).toEqual([2, 'y', undefined]);
      const status = { ...changed, spec: { image: 'z' }, status: { replicas: 5 } };
      const { object: reported } = await of(DEPLOYMENT).update(context(), 'd', 'a', status, 'status');
      expect([reported.metadata.generation, reported.spec.image, reported.status]).toEqual([2, 'y', { replicas: 5 }]);
      const labelled = { ...reported, metadata: { ...reported.metadata, labels: { a: 'b' } } };
      const { object: same } = await of(DEPLOYMENT).update(context(), 'd', 'a', labelled, '');
      expect(same.metadata.generation).toBe(2);
    });

    it('writes nothing that changes nothing', async () => {
      const made = await make(DEPLOYMENT, 'a', { spec: { image: 'x' } });
      const seen = await Seen.start(of(DEPLOYMENT) as never, { resourceVersion: made.metadata.resourceVersion! });
      now += 60_000;
      const again = { ...object(DEPLOYMENT, 'a'), spec: { image: 'x' } };
      expect((await of(DEPLOYMENT).update(context(), 'd', 'a', again, '')).object).toEqual(made);
      expect((await of(DEPLOYMENT).patch(context(), 'd', 'a', patch('merge', {}), '')).object).toEqual(made);
      await make(DEPLOYMENT, 'b', { spec: { image: 'x' } });
      await seen.count(1);
      expect(seen.lines).toEqual(['ADDED b']);
      seen.watch.stop();
    });

    it('compares versions and identities', async () => {
      const made = await make(CONFIG_MAP, 'a', { data: { n: '1' } });
      const put = (metadata: object) =>
        of(CONFIG_MAP).update(context(), 'd', 'a', { ...made, metadata: { name: 'a', ...metadata }, data: {} }, '');
      const stale = await refused(put({ resourceVersion: '1' }));
      expect(`${stale.code} ${stale.message}`).toBe(
        '409 Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
      );
      expect((await refused(put({ uid: 'other' }))).message).toContain(
        `Precondition failed: UID in precondition: other, UID in object meta: ${made.metadata.uid}`,
      );
      expect((await refused(put({ name: 'zz' }))).message).toBe(
        'the name of the object (zz) does not match the name on the URL (a)',
      );
      expect((await refused(put({ creationTimestamp: '2001-01-01T00:00:00Z' }))).message).toContain(
        'metadata.creationTimestamp: Invalid value: "2001-01-01T00:00:00Z": field is immutable',
      );
      // The same instant as JavaScript writes it.
      await put({ creationTimestamp: '2026-03-01T10:00:00.000Z' });
      expect((await of(CONFIG_MAP).get('d', 'a')).metadata.creationTimestamp).toBe('2026-03-01T10:00:00Z');
      const missing = await refused(of(CONFIG_MAP).update(context(), 'd', 'zz', object(CONFIG_MAP, 'zz'), ''));
      expect(`${missing.code} ${missing.message}`).toBe('404 configmaps "zz" not found');
      const widget = await make(WIDGET, 'w', { spec: { color: 'red' } });
      const unconditional = { ...widget, metadata: { name: 'w' } };
      expect((await refused(of(WIDGET).update(context(), 'd', 'w', unconditional, ''))).message).toBe(
        'Widget.example.com "w" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
      );
    });

    it('creates where the kind lets it', async () => {
      const made = await of(LEASE).update(context(), 'd', 'l', object(LEASE, 'l', { spec: { n: 1 } }), '');
      expect([made.created, made.object.spec]).toEqual([true, { n: 1 }]);
      const again = await of(LEASE).update(context(), 'd', 'l', object(LEASE, 'l', { spec: { n: 2 } }), '');
      expect([again.created, again.object.spec]).toEqual([false, { n: 2 }]);
    });

    it('loses no unconditional update, and undoes each attempt that lost', async () => {
      await make(CONFIG_MAP, 'n', { data: { n: '0' } });
      let charged = 0;
      plugin = (request) => {
        charged++;
        request.onFailure?.(async () => void charged--);
      };
      const bump = () =>
        of(CONFIG_MAP).modify(context(), 'd', 'n', '', (o) => {
          o.data = { n: String(Number(o.data.n) + 1) };
        });
      await Promise.all(Array.from({ length: 20 }, bump));
      expect((await of(CONFIG_MAP).get('d', 'n')).data.n).toBe('20');
      expect(charged).toBe(20);
    });

    it('warns', async () => {
      await make(DEPLOYMENT, 'a', { spec: { image: 'old' } });
      expect(warnings).toEqual(['spec.image: old is deprecated']);
    });
  });

  describe('patch', () => {
    it('puts each kind of patch on the object with its defaults', async () => {
      await make(DEPLOYMENT, 'a', { spec: { image: 'x' } });
      const run = async (p: Patch) => (await of(DEPLOYMENT).patch(context(), 'd', 'a', p, '')).object.spec;
      expect(
        await run(
          patch('json', [
            { op: 'test', path: '/spec/replicas', value: 1 },
            { op: 'replace', path: '/spec/replicas', value: 2 },
          ]),
        ),
      ).toEqual({ image: 'x', replicas: 2 });
      expect(await run(patch('merge', { spec: { image: 'y' } }))).toEqual({ image: 'y', replicas: 2 });
      expect(await run(patch('strategic', { spec: { replicas: null } }))).toEqual({ image: 'y', replicas: 1 });
      const { object: status } = await of(DEPLOYMENT).patch(
        context(),
        'd',
        'a',
        patch('merge', { spec: { image: 'z' }, status: { replicas: 3 } }),
        'status',
      );
      expect([status.spec.image, status.status]).toEqual(['y', { replicas: 3 }]);
    });

    it('refuses what a patch may not change', async () => {
      await make(CONFIG_MAP, 'a');
      const codes = async (p: Patch, kind = CONFIG_MAP, name = 'a') =>
        (await refused(of(kind).patch(context(), 'd', name, p, ''))).code;
      expect(await codes(patch('merge', { metadata: { name: 'b' } }))).toBe(400);
      expect(await codes(patch('merge', { kind: 'Secret' }))).toBe(400);
      expect(await codes(patch('merge', { metadata: { resourceVersion: '1' } }))).toBe(409);
      expect(await codes(patch('merge', { metadata: { uid: 'x' } }))).toBe(409);
      expect(await codes(patch('merge', {}), CONFIG_MAP, 'zz')).toBe(404);
      expect(await codes(patch('merge', {}, true))).toBe(422);
      expect(await codes(patch('strategic', {}), WIDGET)).toBe(415);
      expect(await codes(patch('merge', { metadata: { labels: { 'a b': 'c' } } }))).toBe(422);
    });

    it('refuses, tells or drops what the schema does not know', async () => {
      await make(CONFIG_MAP, 'a');
      const body = patch('merge', { data: { x: '1' }, date: { y: '2' } });
      const run = (fieldValidation: WriteContext['fieldValidation']) =>
        of(CONFIG_MAP).patch(context({ fieldValidation }), 'd', 'a', body, '');
      const strict = await refused(run('Strict'));
      expect([strict.code, strict.reason]).toEqual([422, 'Invalid']);
      expect(strict.message).toContain('strict decoding error: unknown field "date"');
      expect(await run('Warn')).toMatchObject({ object: { data: { x: '1' } } });
      expect(warnings.splice(0)).toEqual(['unknown field "date"']);
      await run('Ignore');
      expect(warnings).toEqual([]);
      expect(await of(CONFIG_MAP).get('d', 'a')).not.toHaveProperty('date');
      const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, date: {} };
      expect((await refused(of(CONFIG_MAP).patch(context(), 'd', 'a', patch('apply', config), ''))).message).toBe(
        'failed to create typed patch object (d/a; v1, Kind=ConfigMap): .date: field not declared in schema',
      );
    });

    it('applies: creates, changes, conflicts, leaves alone', async () => {
      const config = (data: Record<string, string>) => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'a' },
        data,
      });
      const apply = (manager: string, data: Record<string, string>, force = false) =>
        of(CONFIG_MAP).patch(context({ fieldManager: manager }), 'd', 'a', patch('apply', config(data), force), '');
      const first = await apply('one', { x: '1' });
      expect([first.created, first.object.data]).toEqual([true, { x: '1' }]);
      now += 60_000;
      const again = await apply('one', { x: '1' });
      expect([again.created, again.object]).toEqual([false, first.object]);
      const clash = await refused(apply('two', { x: '2' }));
      expect([clash.code, clash.message]).toEqual([409, 'Apply failed with 1 conflict: conflict with "one": .data.x']);
      expect((await apply('two', { x: '2' }, true)).object.data).toEqual({ x: '2' });
      expect((await refused(apply('', { x: '2' }))).code).toBe(422);
      const other = { ...config({}), metadata: { name: 'b' } };
      expect((await refused(of(CONFIG_MAP).patch(context(), 'd', 'a', patch('apply', other), ''))).code).toBe(400);
    });

    it('is tried again when somebody else was faster', async () => {
      await make(CONFIG_MAP, 'a', { data: { n: '0' } });
      let raced = false;
      plugin = async (request) => {
        if (raced || request.operation !== 'UPDATE') return;
        raced = true;
        await t.maps().update('d', 'a', (o) => ({ object: { ...o!, data: { ...o!.data, other: '1' } } }));
      };
      const { object: changed } = await of(CONFIG_MAP).patch(
        context(),
        'd',
        'a',
        patch('merge', { data: { n: '1' } }),
        '',
      );
      expect(changed.data).toEqual({ n: '1', other: '1' });
    });
  });

  describe('delete', () => {
    it('removes at once what nothing holds', async () => {
      await make(CONFIG_MAP, 'a');
      const { done, object: gone } = await of(CONFIG_MAP).delete(context(), 'd', 'a', {});
      expect([done, gone.metadata.name]).toEqual([true, 'a']);
      expect((await refused(of(CONFIG_MAP).delete(context(), 'd', 'a', {}))).code).toBe(404);
    });

    it('waits for finalizers, and an update that empties them removes', async () => {
      await make(DEPLOYMENT, 'a', { metadata: { finalizers: ['example.com/x'] }, spec: { image: 'x' } });
      const { done, object: marked } = await of(DEPLOYMENT).delete(context(), 'd', 'a', {});
      expect(done).toBe(false);
      expect(marked.metadata).toMatchObject({
        deletionTimestamp: '2026-03-01T10:00:00Z',
        deletionGracePeriodSeconds: 0,
        generation: 2,
      });
      const again = await of(DEPLOYMENT).delete(context(), 'd', 'a', { propagationPolicy: 'Foreground' });
      expect(again).toEqual({ done: false, object: marked });
      const add = { ...marked, metadata: { ...marked.metadata, finalizers: ['example.com/x', 'example.com/y'] } };
      expect((await refused(of(DEPLOYMENT).update(context(), 'd', 'a', add, ''))).message).toContain(
        'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/y"}',
      );
      await of(DEPLOYMENT).patch(context(), 'd', 'a', patch('merge', { metadata: { finalizers: null } }), '');
      expect((await refused(of(DEPLOYMENT).get('d', 'a'))).code).toBe(404);
    });

    it('sets the finalizers of the policy', async () => {
      for (const [policy, finalizers] of [
        ['Orphan', ['example.com/x', 'orphan']],
        ['Foreground', ['example.com/x', 'foregroundDeletion']],
        ['Background', ['example.com/x']],
      ] as const) {
        const name = policy.toLowerCase();
        await make(CONFIG_MAP, name, { metadata: { finalizers: ['example.com/x'] } });
        const { object: marked } = await of(CONFIG_MAP).delete(context(), 'd', name, { propagationPolicy: policy });
        expect(marked.metadata.finalizers).toEqual(finalizers);
      }
      await make(CONFIG_MAP, 'b');
      const both = { propagationPolicy: 'Orphan', orphanDependents: true } as const;
      expect((await refused(of(CONFIG_MAP).delete(context(), 'd', 'b', both))).code).toBe(422);
    });

    it('gives pods their grace, which may only become shorter', async () => {
      await make(POD, 'free');
      expect((await of(POD).delete(context(), 'd', 'free', {})).done).toBe(true);
      await make(POD, 'p', { spec: { nodeName: 'n1' } });
      const first = await of(POD).delete(context(), 'd', 'p', {});
      expect([first.done, first.object.metadata.deletionTimestamp]).toEqual([false, '2026-03-01T10:00:30Z']);
      now += 5000;
      expect((await of(POD).delete(context(), 'd', 'p', {})).object).toEqual(first.object);
      const shorter = await of(POD).delete(context(), 'd', 'p', { gracePeriodSeconds: 10 });
      expect(shorter.object.metadata).toMatchObject({
        deletionTimestamp: '2026-03-01T10:00:10Z',
        deletionGracePeriodSeconds: 10,
      });
      const wrong = { gracePeriodSeconds: 0, preconditions: { uid: 'other' } };
      expect((await refused(of(POD).delete(context(), 'd', 'p', wrong))).code).toBe(409);
      expect((await of(POD).delete(context(), 'd', 'p', { gracePeriodSeconds: 0 })).done).toBe(true);
    });

    it('keeps a namespace until both lists of finalizers are empty', async () => {
      await make(NAMESPACE, 'team');
      const { done, object: marked } = await of(NAMESPACE).delete(context(), '', 'team', {});
      expect([done, marked.status.phase, marked.spec.finalizers]).toEqual([false, 'Terminating', ['kubernetes']]);
      expect((await of(NAMESPACE).delete(context(), '', 'team', {})).done).toBe(false);
      await of(NAMESPACE).update(context(), '', 'team', { ...marked, spec: { finalizers: [] } }, 'finalize');
      expect((await refused(of(NAMESPACE).get('', 'team'))).code).toBe(404);
    });

    it('deletes collections', async () => {
      for (let i = 0; i < 30; i++) await make(CONFIG_MAP, `c${i}`, { metadata: { labels: { odd: String(i % 2) } } });
      const filter = (o: KubeObject) => o.metadata.labels?.odd === '1';
      const gone = await of(CONFIG_MAP).deleteCollection(context(), {}, { namespace: 'd', filter });
      expect(gone.items).toHaveLength(15);
      expect((await of(CONFIG_MAP).list({ namespace: 'd' })).items).toHaveLength(15);
    });

    it('keeps all on a dry run', async () => {
      await make(CONFIG_MAP, 'a');
      await of(CONFIG_MAP).delete(context({ dryRun: true }), 'd', 'a', {});
      await of(CONFIG_MAP).get('d', 'a');
    });
  });

  it('shows another version than the stored one, in reads, lists, watches and filters', async () => {
    const seen = await Seen.start(of(WIDGET) as never, { filter: (o) => o.spec.color !== undefined });
    const made = await make(WIDGET, 'w', { spec: { color: 'red' } });
    expect([made.apiVersion, made.spec]).toEqual(['example.com/v2', { color: 'red' }]);
    const { kvs } = await t.client.get(`${t.prefix}/example.com/widgets/d/w`);
    expect(JSON.parse(kvs[0]!.value.toString())).toMatchObject({
      apiVersion: 'example.com/v1',
      spec: { colour: 'red' },
    });
    expect((await of(WIDGET).list({ namespace: 'd' })).items[0]).toEqual(made);
    await seen.count(1);
    expect(seen.events[0]!.object).toEqual(made);
    const { object: changed } = await of(WIDGET).patch(
      context(),
      'd',
      'w',
      patch('merge', { spec: { color: 'blue' } }),
      '',
    );
    expect([changed.metadata.generation, changed.spec]).toEqual([2, { color: 'blue' }]);
    seen.watch.stop();
  });

  it('runs the hooks of a kind, and undoes them', async () => {
    const log: string[] = [];
    const hooked: Kind = {
      ...CONFIG_MAP,
      hooks: {
        beforeCreate: async () => {
          log.push('beforeCreate');
          return async () => void log.push('undo create');
        },
        beforeUpdate: async () => {
          log.push('beforeUpdate');
          return async () => void log.push('undo update');
        },
        afterUpdate: async () => void log.push('afterUpdate'),
        afterDelete: async () => void log.push('afterDelete'),
      },
    };
    const maps = of(hooked);
    const { object: made } = await maps.create(context(), 'd', object(hooked, 'h'));
    await refused(maps.create(context(), 'd', object(hooked, 'h')));
    await maps.update(context(), 'd', 'h', { ...made, data: { x: '1' } }, '');
    await maps.update(context(), 'd', 'h', { ...object(hooked, 'h'), data: { x: '1' } }, '');
    await maps.delete(context(), 'd', 'h', {});
    expect(log).toEqual([
      'beforeCreate',
      ...['beforeCreate', 'undo create'],
      ...['beforeUpdate', 'afterUpdate'],
      ...['beforeUpdate', 'undo update'],
      'afterDelete',
    ]);
  });
});
