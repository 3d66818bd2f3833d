import { Gofail } from '../../env/gofail.js';
import { ETCD_VERSION, KEEL_VERSION, startMember } from '../../index.js';
import type { Parsed } from './flag-set.js';
import { FlagError, parseFlags, UsageError } from './flag-set.js';
import { createLogger } from './logging.js';
import type { ServerConfig } from './server-config.js';
import { ConfigError, serverConfig } from './server-config.js';
import { ignoredFlags, serverFlags, serverUsage, unbuiltFlags } from './server-flags.js';

/** `keel server`, and plain `keel --name …`. Sets the process's exit status; returns when the member has stopped. */
export async function serverCommand(args: readonly string[]): Promise<void> {
  if (args.some((arg) => arg === '-h' || arg === '--help' || arg === '-help')) {
    process.stdout.write(`${serverUsage()}\n`);
    return;
  }
  let parsed: Parsed;
  let config: ServerConfig;
  const ignored: string[] = [];
  try {
    parsed = parseFlags(serverFlags, withoutIgnored(args, ignored), process.env, ['ETCD', 'KEEL']);
    if (parsed.values.get('version') === true) {
      printVersion();
      return;
    }
    config = serverConfig(parsed);
  } catch (err) {
    refuse(err);
    return;
  }
  await run(config, parsed, ignored);
}

/** etcd's four lines: suites written for it read the first (operations spec 7). */
function printVersion(): void {
  process.stdout.write(
    [
      `etcd Version: ${ETCD_VERSION}`,
      `Git SHA: keel-${KEEL_VERSION}`,
      `Go Version: node ${process.version}`,
      `Go OS/Arch: ${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
      '',
    ].join('\n'),
  );
}

function withoutIgnored(args: readonly string[], ignored: string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    const name = /^--?([a-z0-9-]+)(=.*)?$/s.exec(arg)?.[1];
    if (name !== undefined && unbuiltFlags.has(name)) throw new FlagError(`--${name}: ${unbuiltFlags.get(name)}`);
    if (name === undefined || !ignoredFlags.has(name)) {
      kept.push(arg);
      continue;
    }
    ignored.push(name);
    const next = args[i + 1];
    if (!arg.includes('=') && next !== undefined && !next.startsWith('-')) i++;
  }
  return kept;
}

function refuse(err: unknown): void {
  if (err instanceof UsageError) {
    process.stderr.write(`${err.message}\n${serverUsage()}\n`);
    process.exitCode = 2;
    return;
  }
  if (!(err instanceof FlagError) && !(err instanceof ConfigError)) throw err;
  process.stderr.write(`error verifying flags, ${err.message}. See 'keel server --help'.\n`);
  process.exitCode = 1;
}

async function run(config: ServerConfig, parsed: Parsed, ignored: readonly string[]): Promise<void> {
  const logger = createLogger(config.log);
  const log = logger.with({ caller: 'cli/server.ts' });
  log.info('Running: ', { args: process.argv.slice(1) });
  for (const warning of parsed.warnings) log.warn(warning);
  for (const name of parsed.given) {
    if (name.startsWith('experimental-')) log.warn(`--${name} is deprecated; see --help for the name it has now`);
  }
  for (const name of ignored) log.warn(`--${name} has no meaning here; it is ignored`);
  let member: Awaited<ReturnType<typeof startMember>>;
  try {
    // As the Go runtime of etcd's failpoints: before anything else, and it ends the process where it cannot.
    const gofail = await Gofail.start(process.env);
    if (gofail !== null) log.warn('failpoints are on: for tests only', { 'gofail-http': gofail.address ?? '' });
    member = await startMember({ config: config.member, listenClientUrls: config.listenClientUrls, logger });
  } catch (err) {
    log.error('failed to start the member', { error: (err as Error).message });
    process.exitCode = 1;
    return;
  }
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) return;
    stopping = true;
    log.info('received signal; shutting down', { signal: signal === 'SIGINT' ? 'interrupt' : 'terminated' });
    member.stop().then(
      () => endBySignal(signal),
      (err: unknown) => {
        log.error('failed to stop', { error: String(err) });
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  await member.ended;
  // Removed from the cluster: the process ends by itself.
  if (!stopping) process.exit(0);
}

/** The process ends by the signal that stopped it, so that its parent sees why; as PID 1 it just exits. */
function endBySignal(signal: NodeJS.Signals): void {
  if (process.pid === 1) process.exit(0);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
