import { parseArgs } from 'node:util';

export interface Load {
  connections: number;
  /** Requests in flight on each. */
  streams: number;
}

/** What can be named in `--only`: each is some rounds that share a subject. */
export const GROUPS = [
  'put',
  'range',
  'mixed',
  'txn',
  'matrix',
  'latency',
  'watch',
  'lease',
  'perf',
  'failover',
  'idle',
  'fill',
  'full',
  'restart',
  'many',
  'kube',
  'kube-schedule',
] as const;

export type Group = (typeof GROUPS)[number];

export interface BenchOptions {
  /** Path of a real etcd to run beside. */
  etcd: string | undefined;
  /** Path of a real kube-apiserver to run beside ours, on that etcd. */
  kubeApiserver: string | undefined;
  /** What is measured: `etcd` puts a second etcd in our place, which shows how much of a difference is noise. */
  subject: 'keel' | 'etcd';
  durationMs: number;
  loads: Load[];
  /** Clients and connections of the matrix. */
  matrix: Load[];
  /** Of the fan-out, each number a round. */
  watchers: number[];
  /** Keys of the fill. */
  keys: number;
  /** Kills of a leader a repetition. */
  kills: number;
  groups: ReadonlySet<Group>;
  match: RegExp | undefined;
  repeat: number;
  generator: 'auto' | 'own';
  json: string | undefined;
  svg: string | undefined;
  writeDocs: boolean;
  dir: string | undefined;
  nodeArgs: string[];
}

export const USAGE = `npm run bench -- [options]
  --etcd PATH         a real etcd to run beside, with the same load in the same run (or KEEL_BENCH_ETCD)
  --kube-apiserver PATH
                      a real kube-apiserver to run beside ours in the group kube, on the etcd that is named
  --only LIST         groups of rounds, comma-separated: ${GROUPS.join(', ')}
  --match REGEXP      only rounds whose name matches
  --duration SECONDS  of each measurement, default 4
  --quick             one second each, 100,000 keys
  --repeat N          rounds of everything, default 1; the median is shown
  --clients LIST      connections x requests in flight on each, default 50x20,500x1
  --matrix LIST       the same for the matrix, default 1x1,10x1,100x1,1000x1,1x100,50x20,1000x2
  --watchers LIST     of the fan-out, default 1,10,100,1000
  --keys N            of the fill, default 1000000
  --kills N           of the leader, each repetition, default 3
  --generator WHICH   auto (h2load where it is on PATH and can do the round) or own
  --subject WHICH     keel, or etcd: etcd against etcd shows the noise
  --node-args LIST    arguments for our members' node, comma-separated
  --dir FOLDER        where the members keep their data, default the system's temporary folder
  --json FILE         where the figures go as JSON
  --svg FILE          where the plot of the ratios goes
  --write-docs        writes docs/benchmarks.md, docs/benchmarks.json and docs/benchmarks.svg`;

/** @throws Error with a line for the user */
export function parseOptions(args: string[], env: NodeJS.ProcessEnv): BenchOptions | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      etcd: { type: 'string' },
      'kube-apiserver': { type: 'string' },
      only: { type: 'string' },
      match: { type: 'string' },
      duration: { type: 'string' },
      quick: { type: 'boolean', default: false },
      clients: { type: 'string', default: '50x20,500x1' },
      matrix: { type: 'string', default: '1x1,10x1,100x1,1000x1,1x100,50x20,1000x2' },
      watchers: { type: 'string', default: '1,10,100,1000' },
      keys: { type: 'string' },
      kills: { type: 'string', default: '3' },
      repeat: { type: 'string', default: '1' },
      generator: { type: 'string', default: 'auto' },
      subject: { type: 'string', default: 'keel' },
      'node-args': { type: 'string' },
      dir: { type: 'string' },
      json: { type: 'string' },
      svg: { type: 'string' },
      'write-docs': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const { subject, generator, quick } = values;
  const seconds = values.duration === undefined ? (quick ? 1 : 4) : positive('--duration', values.duration);
  if (subject !== 'keel' && subject !== 'etcd') throw new Error(`--subject ${subject}: keel or etcd is meant`);
  if (generator !== 'auto' && generator !== 'own') throw new Error(`--generator ${generator}: auto or own is meant`);
  return {
    etcd: values.etcd ?? env.KEEL_BENCH_ETCD,
    kubeApiserver: values['kube-apiserver'],
    subject,
    durationMs: seconds * 1000,
    loads: values.clients.split(',').map((text) => parseLoad('--clients', text)),
    matrix: values.matrix.split(',').map((text) => parseLoad('--matrix', text)),
    watchers: values.watchers.split(',').map((text) => positive('--watchers', text)),
    keys: values.keys === undefined ? (quick ? 100_000 : 1_000_000) : positive('--keys', values.keys),
    kills: positive('--kills', values.kills),
    groups: parseGroups(values.only),
    match: values.match === undefined ? undefined : new RegExp(values.match),
    repeat: positive('--repeat', values.repeat),
    generator,
    json: values.json,
    svg: values.svg,
    writeDocs: values['write-docs'],
    dir: values.dir,
    nodeArgs: values['node-args']?.split(',') ?? [],
  };
}

/** Without a list: all. */
function parseGroups(only: string | undefined): ReadonlySet<Group> {
  if (only === undefined) return new Set(GROUPS);
  const known: readonly string[] = GROUPS;
  const names = only.split(',').map((name) => name.trim());
  for (const name of names) if (!known.includes(name)) throw new Error(`--only ${name}: one of ${GROUPS.join(', ')}`);
  return new Set(names as Group[]);
}

function parseLoad(name: string, text: string): Load {
  const match = /^(\d+)(?:x(\d+))?$/.exec(text.trim());
  if (!match) throw new Error(`${name} ${text}: CONNECTIONSxSTREAMS is meant, as in 50x20`);
  return { connections: positive(name, match[1]!), streams: positive(name, match[2] ?? '1') };
}

function positive(name: string, text: string): number {
  const n = Number(text);
  if (!(n > 0)) throw new Error(`${name} ${text}: a number above 0 is meant`);
  return n;
}
