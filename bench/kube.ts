/** The Kubernetes API: creates, lists, watches and memory, beside a real kube-apiserver where one is named. */
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import type { Figures } from './figures.js';
import { amountOf, FAILED, medianOf, quantiles } from './figures.js';
import type { KubeSubject } from './kube-system.js';
import { KubeSystem } from './kube-system.js';
import { Histogram } from './load/histogram.js';
import type { Call, Closed } from './load/https.js';
import type { BenchOptions } from './options.js';
import { machine } from './proc.js';
import type { Report } from './report.js';

const PODS = 5000;
const WATCHERS = 200;
const WRITES_PER_SECOND = 20;
const APPS = 100;
const WARM_UP = 500;
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const PODS_PATH = '/api/v1/namespaces/bench/pods';

interface KubeRound {
  readonly name: string;
  run(system: KubeSystem): Promise<Figures>;
}

/** Runs all rounds on each system, one system after the other. */
export async function measureKube(options: BenchOptions): Promise<Report> {
  const subjects: KubeSubject[] = ['keel kube'];
  const notes: string[] = [];
  if (options.etcd) subjects.push('keel kube on etcd');
  else notes.push('no etcd is named (--etcd PATH), so the same server over an etcd is not measured');
  if (options.etcd && options.kubeApiserver) subjects.push('kube-apiserver on etcd');
  else
    notes.push(
      'no kube-apiserver is named (--kube-apiserver PATH, with --etcd PATH): there is nothing to compare with',
    );
  const before = machine(options.dir ?? tmpdir());
  const rounds = kubeRounds(options);
  const results = new Map(rounds.map(({ name }) => [name, new Map<string, Figures[]>()]));
  const systems: Report['systems'] = [];
  for (let repetition = 0; repetition < options.repeat; repetition++) {
    for (const subject of subjects) {
      const system = await KubeSystem.start(subject, options.dir, options.kubeApiserver);
      if (repetition === 0) systems.push({ label: subject, version: system.version });
      try {
        for (const round of rounds) {
          const figures = await round.run(system).catch((err: Error) => {
            notes.push(`${subject}: "${round.name}" failed: ${err.message}`);
            return FAILED;
          });
          const all = results.get(round.name)!;
          all.set(subject, [...(all.get(subject) ?? []), figures]);
          const { amount, perSecond, latency } = figures;
          const said = amount ? `${Math.round(amount.value)} ${amount.unit}` : `${perSecond.toFixed(1)} per s`;
          console.error(
            `bench: ${subject}: ${round.name}: ${said}${latency ? `, p99 ${latency.p99.toFixed(2)} ms` : ''}`,
          );
        }
      } finally {
        await system.dispose();
      }
    }
  }
  return {
    machine: before,
    options: { repetitions: String(options.repeat), 'seconds a measurement': String(options.durationMs / 1000) },
    systems,
    rounds: rounds.map(({ name }) => ({
      group: 'kube',
      name,
      figures: Object.fromEntries([...results.get(name)!].map(([label, all]) => [label, medianOf(all)])),
    })),
    notes,
  };
}

function kubeRounds(options: BenchOptions): KubeRound[] {
  const { durationMs } = options;
  const closed = (name: string, atOnce: number, next: () => Call): KubeRound => ({
    name,
    run: (system) => measured(system, (load) => load.closed(atOnce, durationMs, next)),
  });
  const list = (name: string, query: string, accept?: string): KubeRound =>
    closed(name, 1, () => ({
      method: 'GET',
      path: `${PODS_PATH}${query}`,
      ...(accept === undefined ? {} : { accept }),
    }));
  let maps = 0;
  const map = (): Call => ({
    method: 'POST',
    path: '/api/v1/namespaces/bench/configmaps',
    body: JSON.stringify({ metadata: { name: `m${process.pid}-${maps++}` }, data: { text: 'x'.repeat(1000) } }),
  });
  const rounds: KubeRound[] = [
    { name: 'start to ready', run: async (system) => begin(system) },
    closed('create a ConfigMap of 1 kB, one after the other', 1, map),
    closed('create a ConfigMap of 1 kB, 50 at once', 50, map),
    { name: `create ${n(PODS)} Pods, 50 at once`, run: fill },
    list(`list ${n(PODS)} Pods, JSON`, ''),
    list(`list ${n(PODS)} Pods, JSON, resourceVersion=0`, '?resourceVersion=0'),
    list(`list ${n(PODS)} Pods, Table`, '', TABLE),
    list(`list ${n(PODS / APPS)} of ${n(PODS)} Pods by label`, '?labelSelector=app%3Da7'),
    list('list 500 Pods, a page', '?limit=500'),
    {
      name: `watch, ${WRITES_PER_SECOND} writes/s to ${WATCHERS} watchers`,
      run: (system) => watch(system, durationMs),
    },
    {
      name: 'memory of the server after it',
      run: async (system) => {
        const { server, store } = system.memory();
        const rest = store === null ? 'the store in it' : `its etcd besides: ${Math.round(store / 2 ** 20)} MiB`;
        return amountOf(server / 2 ** 20, 'MiB', rest);
      },
    },
  ];
  // The rounds build on each other: the first and the fill are always there.
  return rounds.filter(({ name }, i) => i === 0 || i === 3 || (options.match?.test(name) ?? true));
}

const n = (count: number): string => count.toLocaleString('en');

async function begin(system: KubeSystem): Promise<Figures> {
  const body = JSON.stringify({ metadata: { name: 'bench' } });
  const { status } = await system.load.call({ method: 'POST', path: '/api/v1/namespaces', body });
  if (status !== 201) throw new Error(`the namespace could not be made: ${status}`);
  // For compilers and caches.
  let left = WARM_UP;
  const path = '/apis/coordination.k8s.io/v1/namespaces/bench/leases';
  const lease = (): Call => ({ method: 'POST', path, body: JSON.stringify({ metadata: { name: `warm-${left}` } }) });
  await system.load.closed(10, Number.POSITIVE_INFINITY, () => (left-- > 0 ? lease() : null));
  return amountOf(system.readyMs, 'ms', '');
}

async function measured(system: KubeSystem, run: (load: KubeSystem['load']) => Promise<Closed>): Promise<Figures> {
  const before = system.cpu();
  const { done, failed, bytes, elapsedMs, latency, problem } = await run(system.load);
  if (done === 0) throw new Error(problem || 'nothing was done');
  return {
    perSecond: (done / elapsedMs) * 1000,
    operations: done,
    failed,
    cpuMicros: (system.cpu() - before) / done,
    latency: quantiles(latency),
    bytesPerAnswer: Math.round(bytes / done),
    generator: 'own',
    ...(problem === '' ? {} : { note: problem }),
  };
}

/** Until all are there, however long that takes. */
function fill(system: KubeSystem): Promise<Figures> {
  let i = 0;
  const next = (): Call | null => (i < PODS ? { method: 'POST', path: PODS_PATH, body: podText(i++) } : null);
  return measured(system, (load) => load.closed(50, Number.POSITIVE_INFINITY, next));
}

function podText(i: number): string {
  const container = {
    name: 'main',
    image: 'registry.example.com/app:1.2.3',
    ports: [{ containerPort: 8080 }],
    env: [{ name: 'MODE', value: 'production' }],
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
  };
  return JSON.stringify({
    metadata: { name: `pod-${String(i).padStart(5, '0')}`, labels: { app: `a${i % APPS}`, tier: 'bench' } },
    spec: { containers: [container] },
  });
}

/** From sending a write to having its event, at each watcher. */
async function watch(system: KubeSystem, durationMs: number): Promise<Figures> {
  const { load } = system;
  const path = '/apis/coordination.k8s.io/v1/namespaces/bench/leases';
  const latency = new Histogram();
  const sent = new Map<string, number>();
  let events = 0;
  const streams: IncomingMessage[] = [];
  for (let i = 0; i < WATCHERS; i++) {
    const stream = await load.open({ method: 'GET', path: `${path}?watch=true&allowWatchBookmarks=true` });
    if (stream.statusCode !== 200) throw new Error(`watch: ${stream.statusCode}`);
    streams.push(stream);
    let rest = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop()!;
      const now = performance.now();
      for (const line of lines) {
        const at = sent.get(/"name":"(w-\d+)"/.exec(line)?.[1] ?? '');
        if (at === undefined) continue;
        events++;
        latency.record(now - at);
      }
    });
    stream.on('error', () => {});
  }
  const before = system.cpu();
  const began = performance.now();
  const writes = Math.round((durationMs / 1000) * WRITES_PER_SECOND);
  const open: Promise<unknown>[] = [];
  let failed = 0;
  for (let i = 0; i < writes; i++) {
    const due = began + (i * 1000) / WRITES_PER_SECOND;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    const name = `w-${i}`;
    sent.set(name, performance.now());
    const body = JSON.stringify({ metadata: { name } });
    open.push(
      load.call({ method: 'POST', path, body }).then(({ status }) => {
        if (status !== 201) failed++;
      }),
    );
  }
  await Promise.all(open);
  const until = performance.now() + 10_000;
  while (events < writes * WATCHERS && performance.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 20));
  const elapsedMs = performance.now() - began;
  const cpu = system.cpu() - before;
  for (const stream of streams) stream.destroy();
  const missing = writes * WATCHERS - events;
  return {
    perSecond: (events / elapsedMs) * 1000,
    operations: events,
    failed: failed + missing,
    cpuMicros: cpu / Math.max(1, events),
    latency: quantiles(latency),
    generator: 'own',
  };
}
