import { Gofail } from '../../env/gofail.js';
import { JsonLogger } from '../../env/json-logger.js';
import { ETCD_VERSION, KEEL_VERSION, startMember } from '../../index.js';
import type { Logger } from '../../util/log.js';
import { readConfigFile } from './config-file.js';
import type { Parsed } from './flag-set.js';
import { FlagError, parseLine, ShadowedError, UsageError, withVariables } from './flag-set.js';
import { createLogger, toggleDebug } from './logging.js';
import type { ServerConfig } from './server-config.js';
import { ConfigError, serverConfig } from './server-config.js';
import { serverFlags, serverUsage } from './server-flags.js';
import { notifySystemd } from './systemd.js';

/** `keel server`, and plain `keel --name …`. Sets the process's exit status; returns when the member has stopped. */
export async function serverCommand(args: readonly string[]): Promise<void> {
  if (args.some((arg) => arg === '-h' || arg === '--h' || arg === '--help' || arg === '-help')) {
    process.stdout.write(serverUsage());
    return;
  }
  let parsed: Parsed;
  let config: ServerConfig;
  let logger: JsonLogger;
  try {
    const line = parseLine(serverFlags, args);
    if (line.values.get('version') === true) {
      printVersion();
      return;
    }
    parsed = await settings(line, process.env);
    config = serverConfig(parsed);
    logger = createLogger(config.log);
  } catch (err) {
    refuse(err);
    return;
  }
  await run(config, parsed, logger);
}

/** A file counts alone; else the line and the variables (operations spec 1.1). */
async function settings(line: Parsed, env: NodeJS.ProcessEnv): Promise<Parsed> {
  const file = (line.values.get('config-file') as string) || env.KEEL_CONFIG_FILE || env.ETCD_CONFIG_FILE || '';
  return file === '' ? withVariables(serverFlags, line, env, ['ETCD', 'KEEL']) : readConfigFile(serverFlags, file);
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

/** As etcd says it: usage on stderr and 2, or a line of the log and 1. */
function refuse(err: unknown): void {
  if (err instanceof UsageError) {
    process.stderr.write(`${err.message}\n${serverUsage()}\n`);
    process.exitCode = 2;
    return;
  }
  if (!(err instanceof FlagError) && !(err instanceof ConfigError)) throw err;
  process.exitCode = 1;
  const log = new JsonLogger({ caller: 'cli/server.ts' });
  if (err instanceof ShadowedError) {
    log.log('fatal', err.message, { 'environment-variable': err.variable });
    return;
  }
  log.info('Running: ', { args: process.argv.slice(1) });
  log.warn('failed to verify flags', { error: err.message });
}

function logSettings(log: Logger, { given, notes }: Parsed): void {
  for (const { level, msg, fields } of notes) log[level](msg, fields);
  log.info('Running: ', { args: process.argv.slice(1) });
  for (const flag of serverFlags) {
    if (!given.has(flag.name)) continue;
    if (flag.name.startsWith('experimental-')) {
      log.warn(`--${flag.name} is deprecated; see --help for the name it has now`);
    }
    if (flag.inert !== undefined) log.warn(`--${flag.name} has no effect here: ${flag.inert}`);
  }
}

async function run(config: ServerConfig, parsed: Parsed, logger: JsonLogger): Promise<void> {
  const log = logger.with({ caller: 'cli/server.ts' });
  logSettings(log, parsed);
  process.on('SIGUSR2', () => toggleDebug(logger, config.log.level));
  let member: Awaited<ReturnType<typeof startMember>>;
  try {
    // As the Go runtime of etcd's failpoints: before anything else, and it ends the process where it cannot.
    const gofail = await Gofail.start(process.env);
    if (gofail !== null) log.warn('failpoints are on: for tests only', { 'gofail-http': gofail.address ?? '' });
    const { member: memberConfig, listening, transport } = config;
    member = await startMember({ config: memberConfig, logger, ...listening, ...transport });
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
    void notifySystemd(process.env, 'STOPPING=1', log);
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
  member.ready.then(
    () => notifySystemd(process.env, 'READY=1', log),
    () => {},
  );
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
