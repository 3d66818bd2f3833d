import { fileURLToPath } from 'node:url';
import type { ClusterConfig } from '../../cluster/index.js';
import { ClusterConfigError, loadClusterConfig, readRunFile, Supervisor, sendControl } from '../../cluster/index.js';
import { serverFlags } from './server-flags.js';

const USAGE = `Usage:

  keel cluster up              start the members of cluster.config.json; Ctrl-C stops them
  keel cluster status          leader, term, revision and lag of the cluster that runs
  keel cluster stop            stop it
  keel cluster kill NAME       kill -9 one member
  keel cluster restart NAME    stop one member if it runs, and start it

Flags:

  --config FILE    default: cluster.config.json in the working directory
  --kube           with up: a Kubernetes API on the cluster as well
  --kube-FLAG=...  a flag of it, as --kube-secure-port=0; see "keel kube --help"
`;

const KNOWN = new Set(serverFlags.map((flag) => flag.name));
const COMMANDS = ['up', 'status', 'stop', 'kill', 'restart'];

/** `keel cluster …`. Sets the process's exit status. */
export async function clusterCommand(args: readonly string[]): Promise<void> {
  const words: string[] = [];
  let file = 'cluster.config.json';
  let kube: string[] | null = null;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    if (arg === '-h' || arg === '--help') return void process.stdout.write(USAGE);
    if (arg === '--kube') kube ??= [];
    else if (arg.startsWith('--kube-')) (kube ??= []).push(`--${arg.slice('--kube-'.length)}`);
    else if (arg.startsWith('--config=')) file = arg.slice('--config='.length);
    else if (arg === '--config') file = args[++i] ?? '';
    else if (arg.startsWith('-')) return fail(`unknown flag: ${arg}`, 2);
    else words.push(arg);
  }
  const [command, name, ...rest] = words;
  if (command === undefined || !COMMANDS.includes(command)) {
    return fail(command === undefined ? 'a command is missing' : `unknown command "${command}"`, 2);
  }
  const named = command === 'kill' || command === 'restart';
  if (named && name === undefined) return fail(`keel cluster ${command}: the member's name is missing`, 2);
  if (rest.length > 0 || (!named && name !== undefined)) return fail(`keel cluster ${command}: too many arguments`, 2);
  if (kube !== null && command !== 'up') return fail('--kube goes with "keel cluster up"', 2);
  let config: ClusterConfig;
  try {
    config = loadClusterConfig(file, KNOWN);
  } catch (err) {
    if (!(err instanceof ClusterConfigError)) throw err;
    process.stderr.write(`Error: ${err.message}\n`);
    process.exitCode = 1;
    return;
  }
  if (command === 'up') return await up(config, kube);
  await tell(config, command as 'status' | 'stop' | 'kill' | 'restart', name);
}

function fail(message: string, status: number): void {
  process.stderr.write(status === 2 ? `Error: ${message}\n\n${USAGE}` : `Error: ${message}\n`);
  process.exitCode = status;
}

async function up(config: ClusterConfig, kubeFlags: readonly string[] | null): Promise<void> {
  const keel = fileURLToPath(new URL('../keel.js', import.meta.url));
  const supervisor = new Supervisor(config, {
    command: [process.execPath, keel, 'server'],
    write: (line) => process.stdout.write(`${line}\n`),
  });
  let kube: Promise<{ stop(): Promise<void> } | null> | null = null;
  const stop = (): void => {
    // The API first: its clients are answered while the store still stands.
    const first = kube === null ? Promise.resolve() : kube.then((running) => running?.stop());
    void first.then(() => supervisor.stop());
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.on('SIGHUP', stop);
  try {
    await supervisor.start();
  } catch (err) {
    return fail((err as Error).message, 1);
  }
  const clients = config.members.flatMap((member) => member.clientUrls).join(',');
  process.stdout.write(`keel: starting ${config.members.length} members; clients: ${clients}\n`);
  if (kubeFlags !== null) {
    const { localKube } = await import('./kube.js');
    kube = localKube(config.dataDir, clients.split(','), kubeFlags);
    if ((await kube) === null) {
      kube = null;
      process.exitCode = 1;
      stop();
    }
  }
  await supervisor.ended;
  process.exit();
}

async function tell(
  config: ClusterConfig,
  command: 'status' | 'stop' | 'kill' | 'restart',
  name?: string,
): Promise<void> {
  const run = readRunFile(config.dataDir);
  if (run === null) return fail(`no cluster runs on ${config.dataDir}; start it with "keel cluster up"`, 1);
  try {
    const reply = await sendControl(run, name === undefined ? { command } : { command, member: name });
    if (reply.ok) process.stdout.write(`${reply.message}\n`);
    else fail(reply.message, 1);
  } catch (err) {
    fail(`the cluster does not answer: ${(err as Error).message}`, 1);
  }
}
