import { parseArgs } from 'node:util';

export interface Load {
  connections: number;
  /** Requests in flight on each. */
  streams: number;
}

export interface BenchOptions {
  /** Path of a real etcd to run beside. */
  etcd: string | undefined;
  /** What is measured: `etcd` puts a second etcd in our place, which shows how much of a difference is noise. */
  subject: 'keel' | 'etcd';
  durationMs: number;
  loads: Load[];
  watchers: number;
  only: RegExp | undefined;
  repeat: number;
  generator: 'auto' | 'own';
  json: string | undefined;
  dir: string | undefined;
  nodeArgs: string[];
}

export const USAGE = `npm run bench -- [options]
  --etcd PATH         a real etcd to run beside, with the same load in the same run (or KEEL_BENCH_ETCD)
  --duration SECONDS  of each measurement, default 4
  --quick             one second each
  --clients LIST      connections x requests in flight on each, default 50x20,500x1
  --watchers N        of the fan-out, default 100
  --only REGEXP       only rounds whose name matches
  --repeat N          rounds of everything, default 1; the median is shown
  --generator WHICH   auto (h2load where it is on PATH and can do the round) or own
  --subject WHICH     keel, or etcd: etcd against etcd shows the noise
  --node-args LIST    arguments for our members' node, comma-separated
  --dir FOLDER        where the members keep their data, default the system's temporary folder
  --json FILE         where the figures go as JSON, default: behind the table`;

/** @throws Error with a line for the user */
export function parseOptions(args: string[], env: NodeJS.ProcessEnv): BenchOptions | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      etcd: { type: 'string' },
      duration: { type: 'string' },
      quick: { type: 'boolean', default: false },
      clients: { type: 'string', default: '50x20,500x1' },
      watchers: { type: 'string', default: '100' },
      only: { type: 'string' },
      repeat: { type: 'string', default: '1' },
      generator: { type: 'string', default: 'auto' },
      subject: { type: 'string', default: 'keel' },
      'node-args': { type: 'string' },
      dir: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const seconds = values.duration === undefined ? (values.quick ? 1 : 4) : positive('--duration', values.duration);
  const { subject, generator } = values;
  if (subject !== 'keel' && subject !== 'etcd') throw new Error(`--subject ${subject}: keel or etcd is meant`);
  if (generator !== 'auto' && generator !== 'own') throw new Error(`--generator ${generator}: auto or own is meant`);
  return {
    etcd: values.etcd ?? env.KEEL_BENCH_ETCD,
    subject,
    durationMs: seconds * 1000,
    loads: values.clients.split(',').map(parseLoad),
    watchers: positive('--watchers', values.watchers),
    only: values.only === undefined ? undefined : new RegExp(values.only),
    repeat: positive('--repeat', values.repeat),
    generator,
    json: values.json,
    dir: values.dir,
    nodeArgs: values['node-args']?.split(',') ?? [],
  };
}

function parseLoad(text: string): Load {
  const match = /^(\d+)(?:x(\d+))?$/.exec(text.trim());
  if (!match) throw new Error(`--clients ${text}: CONNECTIONSxSTREAMS is meant, as in 50x20`);
  return { connections: positive('--clients', match[1]!), streams: positive('--clients', match[2] ?? '1') };
}

function positive(name: string, text: string): number {
  const n = Number(text);
  if (!(n > 0)) throw new Error(`${name} ${text}: a number above 0 is meant`);
  return n;
}
