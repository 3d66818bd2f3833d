import { expect, test } from 'vitest';
import { enoughNodes } from '../../../src/kube/scheduler/placement.js';
import { FILTERS } from '../../../src/kube/scheduler/plugins/index.js';
import { podInfo } from '../../../src/kube/scheduler/pod-info.js';
import { choosePreemption } from '../../../src/kube/scheduler/preemption.js';
import { SchedulingQueue } from '../../../src/kube/scheduler/queue.js';
import { decide, node, outcome, pod, viewOf } from './world.js';

test('the emptier node', () => {
  expect(
    outcome(pod('p', { cpu: '1' }), viewOf([node('a'), node('b')], { a: [pod('o', { cpu: '2', memory: '4Gi' })] })),
  ).toBe('b');
});

test('a preferred label, against a fuller node', () => {
  const preferred = [
    { weight: 50, preference: { matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] } },
  ];
  const spec = { affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred } } };
  const view = viewOf([node('a', { labels: { disk: 'ssd' } }), node('b')], {
    a: [pod('o', { cpu: '1', memory: '2Gi' })],
  });
  expect(outcome(pod('p', { spec }), view)).toBe('a');
});

test('away from PreferNoSchedule, unless borne', () => {
  const taints = [{ key: 'k', value: 'v', effect: 'PreferNoSchedule' }];
  const view = viewOf([node('a', { spec: { taints } }), node('b')], { b: [pod('o', { cpu: '1', memory: '2Gi' })] });
  expect(outcome(pod('p'), view)).toBe('b');
  expect(outcome(pod('p', { spec: { tolerations: [{ key: 'k', operator: 'Exists' }] } }), view)).toBe('a');
});

test('near to friends, away from foes', () => {
  const preferred = [
    {
      weight: 100,
      podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'db' } } },
    },
  ];
  const view = () =>
    viewOf([node('a'), node('b')], { a: [pod('db', { labels: { app: 'db' }, cpu: '500m', memory: '1Gi' })] });
  const spec = (kind: string) => ({
    affinity: { [kind]: { preferredDuringSchedulingIgnoredDuringExecution: preferred } },
  });
  expect(outcome(pod('p', { spec: spec('podAffinity') }), view())).toBe('a');
  expect(outcome(pod('p', { spec: spec('podAntiAffinity') }), view())).toBe('b');
});

test('pods of a Service are spread over hosts', () => {
  const web = (name: string) => pod(name, { labels: { app: 'web' } });
  const service: any = { metadata: { name: 'web', namespace: 'default' }, spec: { selector: { app: 'web' } } };
  const around = { list: (plural: string) => (plural === 'services' ? [service] : []) };
  expect(outcome(web('p'), viewOf([node('a'), node('b')], { a: [web('w')] }, around))).toBe('b');
});

test('where the image lies', () => {
  const images = [{ names: ['x:latest'], sizeBytes: 500 * 1024 * 1024 }];
  expect(outcome(pod('p'), viewOf([node('a', { status: { images } }), node('b'), node('c')]))).toBe('a');
});

test('all of a hundred nodes are looked at, of thousands a part', () => {
  expect([10, 100, 200, 1000, 5000, 10_000].map(enoughNodes)).toEqual([10, 100, 100, 420, 500, 500]);
});

const prio = (name: string, priority: number, cpu: string, more: object = {}) =>
  pod(name, { cpu, spec: { priority }, ...more });
function preempt(one: any, view: any, budgets: any[] = []) {
  const decision = decide(one, view);
  if ('node' in decision) throw new Error('there is room');
  const chosen = choosePreemption(podInfo(one), decision.curable, view, FILTERS, budgets);
  return chosen === null ? null : { node: chosen.node, victims: chosen.victims.map((v) => v.pod.metadata.name) };
}

test('preemption: as few as possible of the least, and never those of as much priority', () => {
  const view = viewOf([node('a'), node('b')], {
    a: [prio('a1', 1, '2'), prio('a2', 5, '2')],
    b: [prio('b1', 20, '4')],
  });
  expect(preempt(prio('p', 10, '2'), view)).toEqual({ node: 'a', victims: ['a1'] });
  expect(preempt(prio('p', 10, '4'), view)).toEqual({ node: 'a', victims: ['a2', 'a1'] });
  expect(preempt(prio('p', 1, '2'), view)).toBeNull();
  expect(preempt(prio('p', 30, '5'), view)).toBeNull();
});

test('preemption: budgets are kept where there is a choice', () => {
  const kept = { labels: { app: 'kept' } };
  const view = viewOf([node('a'), node('b')], { a: [prio('a1', 1, '4', kept)], b: [prio('b1', 5, '4')] });
  const budget = {
    metadata: { namespace: 'default' },
    spec: { selector: { matchLabels: { app: 'kept' } } },
    status: { disruptionsAllowed: 0 },
  };
  expect(preempt(prio('p', 10, '4'), view)).toEqual({ node: 'a', victims: ['a1'] });
  expect(preempt(prio('p', 10, '4'), view, [budget])).toEqual({ node: 'b', victims: ['b1'] });
});

test('a node that others were sent away from is kept for whom it was done', () => {
  const view = viewOf([node('a')]);
  view.nominate(podInfo(prio('first', 10, '4')), 'a');
  expect(outcome(prio('p', 5, '1'), view)).toEqual(['1 Insufficient cpu']);
  expect(outcome(prio('q', 20, '1'), view)).toBe('a');
});

test('queue: priority, then age; back-off; only what matters wakes', () => {
  let now = 0;
  const timers: { at: number; fn: () => void }[] = [];
  const clock = {
    now: () => now,
    setTimeout: (fn: () => void, ms: number) => {
      const timer = { at: now + ms, fn };
      timers.push(timer);
      return timer;
    },
    clearTimeout: (timer: any) => void (timers.includes(timer) && timers.splice(timers.indexOf(timer), 1)),
  };
  const pass = (ms: number) => {
    now += ms;
    for (const timer of timers.filter((one) => one.at <= now)) {
      timers.splice(timers.indexOf(timer), 1);
      timer.fn();
    }
  };
  const queue = new SchedulingQueue(clock, () => {});
  const at = (name: string, priority: number, second: number) => {
    const one = prio(name, priority, '1');
    one.metadata.creationTimestamp = `2026-01-01T00:00:0${second}Z`;
    return podInfo(one);
  };
  for (const one of [at('c', 0, 3), at('a', 0, 1), at('top', 9, 5), at('b', 0, 2)]) queue.put(one);
  queue.remove('c');
  expect([queue.take(), queue.take(), queue.take(), queue.take()].map((one) => one?.uid)).toEqual([
    'top',
    'a',
    'b',
    undefined,
  ]);
  queue.park('a', new Set(['node']));
  queue.park('b', new Set(['pod-gone']));
  queue.retry('top');
  expect(queue.counts()).toEqual({ active: 0, backoff: 1, unschedulable: 2 });
  pass(1000);
  expect(queue.take()?.uid).toBe('top');
  queue.happened('pod-gone');
  expect(queue.take()?.uid).toBe('b');
  queue.park('b', new Set(['node']));
  queue.happened('node');
  expect(queue.take()?.uid).toBe('a');
  // A second attempt waits 2 s.
  pass(1999);
  expect(queue.take()).toBeUndefined();
  pass(1);
  expect(queue.take()?.uid).toBe('b');
  // What happens while it is tried is not lost.
  queue.happened('node');
  queue.park('b', new Set(['node']));
  pass(4000);
  expect(queue.take()?.uid).toBe('b');
  queue.park('b', new Set(['volume']));
  pass(300_000);
  expect(queue.take()?.uid).toBe('b');
});
