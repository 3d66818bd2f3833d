import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGarbageCollector } from '../../../src/kube/controllers/garbage-collector/index.js';
import { backoffIn, decide, wantedActive } from '../../../src/kube/controllers/job/decide.js';
import { judge } from '../../../src/kube/controllers/job/failure-policy.js';
import { startJobs } from '../../../src/kube/controllers/job/index.js';
import { formatIndexes, parseIndexes } from '../../../src/kube/controllers/job/indexes.js';
import { TRACKING, tally } from '../../../src/kube/controllers/job/tally.js';
import { expiryOf, startTtlAfterFinished } from '../../../src/kube/controllers/ttl-after-finished.js';
import { EVENTS, JOBS, PODS } from '../../../src/kube/kit/index.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import { KubeWorld } from '../../support/kube-world.js';
import { SkipClock } from '../../support/skip-clock.js';
import { kubectlBinary, rows } from '../support/kubectl.js';

const TEMPLATE = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } };

function job(spec: object = {}, status: object = {}): KubeObject {
  const metadata = { name: 'j', namespace: 'default', uid: 'u' };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: { template: TEMPLATE, ...spec }, status };
}

function pod(uid: string, phase: string, meta: object = {}, status: object = {}): KubeObject {
  const metadata = { name: uid, namespace: 'default', uid, finalizers: [TRACKING], ...meta };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: {}, status: { phase, ...status } };
}

describe('pure parts', () => {
  test('indexes', () => {
    expect([...parseIndexes('1,3-5,9', 9)]).toEqual([1, 3, 4, 5]);
    expect([...parseIndexes('x,,2', 9)]).toEqual([2]);
    expect(formatIndexes(new Set([5, 0, 4, 1, 3, 9]))).toBe('0,1,3-5,9');
    expect(formatIndexes(new Set())).toBe('');
  });

  test('a pod is counted once, whether it is still there or not', () => {
    const first = tally(job({ completions: 3 }), [pod('a', 'Succeeded'), pod('b', 'Failed'), pod('c', 'Running')]);
    expect(first).toMatchObject({ counted: { succeeded: 0, failed: 0 }, succeeded: 1, failed: 1 });
    expect(first.uncounted).toEqual({ succeeded: ['a'], failed: ['b'] });
    expect(first.release.map(({ metadata }) => metadata.uid)).toEqual(['a', 'b']);
    const status = { uncountedTerminatedPods: first.uncounted };
    // a has no finalizer any more, b is as it was: a crash between the two.
    const second = tally(job({ completions: 3 }, status), [
      pod('a', 'Succeeded', { finalizers: [] }),
      pod('b', 'Failed'),
    ]);
    expect(second).toMatchObject({ counted: { succeeded: 1, failed: 0 }, succeeded: 1, failed: 1 });
    expect(second.uncounted).toEqual({ succeeded: [], failed: ['b'] });
    const third = { ...second.counted, uncountedTerminatedPods: second.uncounted };
    expect(tally(job({ completions: 3 }, third), [])).toMatchObject({ counted: { succeeded: 1, failed: 1 } });
  });

  test('a pod that is deleted while it runs has failed', () => {
    const going = pod('a', 'Running', { deletionTimestamp: 'now' });
    expect(tally(job(), [going]).failed).toBe(1);
    expect(tally(job({ podReplacementPolicy: 'Failed' }), [going]).failed).toBe(0);
  });

  test('indexes are counted by themselves', () => {
    const at = (index: number, more: object = {}) => ({
      annotations: { 'batch.kubernetes.io/job-completion-index': String(index), ...more },
    });
    const spec = { completionMode: 'Indexed', completions: 3, backoffLimitPerIndex: 1 };
    const again = { 'batch.kubernetes.io/job-index-failure-count': '1' };
    const sum = tally(job(spec, { completedIndexes: '2' }), [
      pod('a', 'Succeeded', at(2)),
      pod('b', 'Succeeded', at(7)),
      pod('c', 'Failed', at(0)),
      pod('d', 'Failed', at(1, again)),
    ]);
    expect(formatIndexes(sum.completed)).toBe('2');
    expect(formatIndexes(sum.failedIndexes)).toBe('1');
    expect(sum).toMatchObject({ succeeded: 1, failed: 2 });
  });

  test.each<[string, object, object, [number, number], number, string | null]>([
    ['all done', { completions: 2 }, {}, [2, 0], 0, 'Complete CompletionsReached'],
    ['not yet', { completions: 2 }, {}, [1, 0], 1, null],
    ['any one, others run', {}, {}, [1, 0], 1, null],
    ['any one', {}, {}, [1, 0], 0, 'Complete CompletionsReached'],
    ['failures below the limit', { completions: 1, backoffLimit: 2 }, {}, [0, 2], 0, null],
    ['failures', { completions: 1, backoffLimit: 2 }, {}, [0, 3], 0, 'Failed BackoffLimitExceeded'],
    [
      'deadline',
      { activeDeadlineSeconds: 5 },
      { startTime: '1970-01-01T00:00:00Z' },
      [0, 0],
      1,
      'Failed DeadlineExceeded',
    ],
    ['suspended', { activeDeadlineSeconds: 5, suspend: true }, { startTime: '1970-01-01T00:00:00Z' }, [0, 0], 1, null],
    [
      'what was said stays said',
      { completions: 1 },
      { conditions: [{ type: 'FailureTarget', status: 'True', reason: 'Why' }] },
      [1, 0],
      0,
      'Failed Why',
    ],
  ])('%s', (_, spec, status, [succeeded, failed], active, expected) => {
    const sum = { ...tally(job(spec, status), []), succeeded, failed };
    const pods = Array.from({ length: active }, (_, i) => pod(`p${i}`, 'Running'));
    const outcome = decide(job(spec, status), sum, pods, 10_000);
    expect(outcome === null ? null : `${outcome.type} ${outcome.reason}`).toBe(expected);
  });

  test('how many at once, and when', () => {
    const sum = (succeeded: number) => ({ ...tally(job(), []), succeeded });
    expect(wantedActive(job({ parallelism: 3, completions: 4 }), sum(2), 0)).toBe(2);
    expect(wantedActive(job({ parallelism: 3 }), sum(0), 0)).toBe(3);
    expect(wantedActive(job({ parallelism: 3 }), sum(1), 2)).toBe(2);
    const waits = [0, 1, 2, 3, 20].map((count) => backoffIn({ count, last: 1000 }, 1000));
    expect(waits).toEqual([0, 10_000, 20_000, 40_000, 600_000]);
  });

  test('rules about failures', () => {
    const ended = pod(
      'a',
      'Failed',
      {},
      { containerStatuses: [{ name: 'c', state: { terminated: { exitCode: 42 } } }] },
    );
    const policy = (rule: object) => job({ podFailurePolicy: { rules: [rule] } });
    const fail = { action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } };
    expect(judge(policy(fail), ended)).toEqual({
      action: 'FailJob',
      message: 'Container c for pod default/a failed with exit code 42 matching FailJob rule at index 0',
    });
    expect(judge(policy({ ...fail, onExitCodes: { operator: 'NotIn', values: [42] } }), ended).action).toBe('Count');
    expect(
      judge(policy({ ...fail, onExitCodes: { containerName: 'd', operator: 'In', values: [42] } }), ended).action,
    ).toBe('Count');
    const evicted = pod('b', 'Failed', {}, { conditions: [{ type: 'DisruptionTarget', status: 'True' }] });
    const ignore = { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] };
    expect(tally(policy(ignore), [evicted])).toMatchObject({ failed: 0, release: [evicted] });
    expect(tally(policy(fail), [ended]).fails).toContain('exit code 42');
  });

  test('when a finished one may go', () => {
    const done = { conditions: [{ type: 'Complete', status: 'True', lastTransitionTime: '1970-01-01T00:01:00Z' }] };
    expect(expiryOf(job({ ttlSecondsAfterFinished: 5 }, done))).toBe(65_000);
    expect(expiryOf(job({ ttlSecondsAfterFinished: 0 }, {}))).toBeUndefined();
    expect(expiryOf(job({}, done))).toBeUndefined();
  });
});

describe('over the API', () => {
  let world: KubeWorld;
  const clock = new SkipClock();
  beforeAll(async () => {
    world = await KubeWorld.start([startJobs, startTtlAfterFinished, startGarbageCollector], { clock });
  });
  afterAll(() => world?.stop());

  const make = (name: string, spec: object) =>
    world.create(JOBS, { ...job(spec), metadata: { name, namespace: 'default' }, status: undefined });
  const podsOf = async (name: string) => world.list(PODS, 'default', `batch.kubernetes.io/job-name=${name}`);
  const live = async (name: string, phase = 'Pending') =>
    (await podsOf(name)).filter((p) => p.status.phase === phase && p.metadata.deletionTimestamp === undefined);
  const count = (name: string, pods: number) =>
    world.until(`${pods} pods of ${name}`, async () => (await live(name)).length === pods);
  const end = async (name: string, phase: 'Succeeded' | 'Failed', pods = Number.POSITIVE_INFINITY, code = 1) => {
    for (const each of (await live(name)).slice(0, pods)) {
      const exitCode = phase === 'Failed' ? code : 0;
      const finishedAt = new Date(clock.now()).toISOString().replace(/\.\d+/, '');
      const state = { terminated: { exitCode, finishedAt } };
      const containerStatuses = [{ name: 'c', image: 'x', imageID: '', ready: false, restartCount: 0, state }];
      await world.setStatus(PODS, 'default', each.metadata.name!, { phase, containerStatuses });
    }
  };
  const status = async (name: string) => (await world.get(JOBS, 'default', name))?.status ?? {};
  const finished = (name: string, type: string) =>
    world.until(`${name} ${type}`, async () => {
      const now = await status(name);
      return now.conditions?.some((c: any) => c.type === type && c.status === 'True') && now;
    });

  test('four completions, two at a time', async () => {
    await make('four', { completions: 4, parallelism: 2 });
    await count('four', 2);
    const [first] = await podsOf('four');
    expect(first?.metadata.finalizers).toEqual([TRACKING]);
    expect(first?.metadata.ownerReferences).toMatchObject([{ kind: 'Job', name: 'four', controller: true }]);
    await end('four', 'Succeeded');
    await count('four', 2);
    await end('four', 'Succeeded');
    const done = await finished('four', 'Complete');
    expect(done).toMatchObject({ succeeded: 4, completionTime: expect.any(String), startTime: expect.any(String) });
    expect(done.active ?? 0).toBe(0);
    expect((await podsOf('four')).every((p) => p.metadata.finalizers === undefined)).toBe(true);
    const events = await world.until('events', async () => {
      const all = (await world.list(EVENTS, 'default')).filter((e) => e.involvedObject.name === 'four');
      return all.some((e) => e.reason === 'Completed') && all;
    });
    expect(events.filter((e) => e.reason === 'SuccessfulCreate')).toHaveLength(4);
    if (kubectlBinary !== undefined) {
      const [, row] = rows(await world.kubectl().run('get job four'));
      expect(row?.slice(0, 3)).toEqual(['four', 'Complete', '4/4']);
    }
  });

  test('a pod deleted after its end still counts', async () => {
    await make('count', { completions: 2, parallelism: 1 });
    await count('count', 1);
    await end('count', 'Succeeded');
    await count('count', 1);
    await world.client.resource(PODS).deleteCollection('default', { fieldSelector: 'status.phase=Succeeded' });
    await end('count', 'Succeeded');
    expect(await finished('count', 'Complete')).toMatchObject({ succeeded: 2 });
  });

  test('failures, each later than the one before, up to the limit', async () => {
    await make('bad', { backoffLimit: 1 });
    await count('bad', 1);
    await end('bad', 'Failed');
    await world.until('a failure', async () => (await status('bad')).failed === 1);
    expect(await live('bad')).toHaveLength(0);
    clock.skip(11_000);
    await count('bad', 1);
    await end('bad', 'Failed');
    const failed = await finished('bad', 'Failed');
    expect(failed.conditions.find((c: any) => c.type === 'Failed')).toMatchObject({
      reason: 'BackoffLimitExceeded',
      message: 'Job has reached the specified backoff limit',
    });
    expect(failed.failed).toBe(2);
  });

  test('a deadline', async () => {
    await make('late', { activeDeadlineSeconds: 60 });
    await count('late', 1);
    await world.until('the start', async () => (await status('late')).startTime !== undefined);
    clock.skip(61_000);
    const failed = await finished('late', 'Failed');
    expect(failed.conditions.map((c: any) => `${c.type} ${c.reason}`)).toEqual([
      'FailureTarget DeadlineExceeded',
      'Failed DeadlineExceeded',
    ]);
    await world.until('no pods', async () => (await podsOf('late')).length === 0);
  });

  test('indexed', async () => {
    await make('idx', { completions: 3, parallelism: 3, completionMode: 'Indexed' });
    await count('idx', 3);
    const pods = await podsOf('idx');
    const indexes = pods.map((p) => p.metadata.annotations?.['batch.kubernetes.io/job-completion-index']).sort();
    expect(indexes).toEqual(['0', '1', '2']);
    expect(pods[0]?.metadata.name).toMatch(/^idx-\d-.{5}$/);
    expect(pods[0]?.spec.hostname).toMatch(/^idx-\d$/);
    expect(pods[0]?.spec.containers[0].env[0].name).toBe('JOB_COMPLETION_INDEX');
    await end('idx', 'Succeeded');
    expect(await finished('idx', 'Complete')).toMatchObject({ succeeded: 3, completedIndexes: '0-2' });
  });

  test('a rule about an exit code', async () => {
    const rules = [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }];
    await make('rule', { podFailurePolicy: { rules } });
    await count('rule', 1);
    await end('rule', 'Failed', 1, 42);
    const failed = await finished('rule', 'Failed');
    expect(failed.conditions.find((c: any) => c.type === 'Failed').reason).toBe('PodFailurePolicy');
  });

  test('suspended, resumed, scaled', async () => {
    await make('sleep', { parallelism: 2, suspend: true });
    await finished('sleep', 'Suspended');
    expect(await podsOf('sleep')).toHaveLength(0);
    const change = (spec: object) => world.client.resource(JOBS).patch('default', 'sleep', 'merge', { spec } as never);
    await change({ suspend: false });
    await count('sleep', 2);
    await change({ parallelism: 1 });
    await count('sleep', 1);
    await change({ suspend: true });
    await count('sleep', 0);
    await world.until('not failed', async () => ((await status('sleep')).active ?? 0) === 0);
    expect((await status('sleep')).failed ?? 0).toBe(0);
  });

  test('gone some time after its end, with its pods; and when it is deleted while it runs', async () => {
    await make('ttl', { ttlSecondsAfterFinished: 100 });
    await count('ttl', 1);
    await end('ttl', 'Succeeded');
    await finished('ttl', 'Complete');
    clock.skip(102_000);
    await world.until('it to be gone', async () => (await world.get(JOBS, 'default', 'ttl')) === undefined);
    expect(await podsOf('ttl')).toHaveLength(0);
    for (const propagationPolicy of ['Foreground', 'Background'] as const) {
      await make('run', { parallelism: 2 });
      await count('run', 2);
      await world.client.resource(JOBS).delete('default', 'run', { propagationPolicy });
      await world.until('pods to go', async () => (await podsOf('run')).length === 0);
      await world.until('it to go', async () => (await world.get(JOBS, 'default', 'run')) === undefined);
    }
    await make('leave', {});
    await count('leave', 1);
    await world.client.resource(JOBS).delete('default', 'leave', { propagationPolicy: 'Orphan' });
    await world.until('it to go', async () => (await world.get(JOBS, 'default', 'leave')) === undefined);
    await world.until('a free pod', async () => {
      const [left] = await podsOf('leave');
      return left?.metadata.finalizers === undefined && left?.metadata.ownerReferences === undefined;
    });
  });
});
