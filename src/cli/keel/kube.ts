import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { JsonLogger } from '../../env/json-logger.js';
import { makeCertificate } from '../../env/tls/certificate.js';
import type { RunningMember } from '../../index.js';
import { startMember } from '../../index.js';
import type { AuthorizationMode, KubeOptions, RunningKube } from '../../kube/app/index.js';
import { KubeConfigError, startKube } from '../../kube/app/index.js';
import type { LogLevel } from '../../util/log.js';
import type { Parsed } from './flag-set.js';
import { FlagError, parseLine, UsageError } from './flag-set.js';
import { kubeFlags, kubeUsage } from './kube-flags.js';

/** `keel kube …`. Sets the process's exit status; returns when it has stopped. */
export async function kubeCommand(args: readonly string[]): Promise<void> {
  if (args.some((arg) => arg === '-h' || arg === '--help')) return void process.stdout.write(kubeUsage());
  let settings: Settings;
  try {
    settings = settingsOf(parseLine(kubeFlags, args));
  } catch (err) {
    if (!(err instanceof UsageError) && !(err instanceof FlagError) && !(err instanceof KubeConfigError)) throw err;
    process.stderr.write(`Error: ${unknownFlag(err.message)}\n\nUse "keel kube --help" for the flags there are.\n`);
    process.exitCode = err instanceof KubeConfigError ? 1 : 2;
    return;
  }
  await run(settings);
}

/** In the words of those whose flags these are. */
function unknownFlag(message: string): string {
  return message.replace(/^flag provided but not defined: -(.*)$/, 'unknown flag: --$1');
}

interface Settings {
  readonly options: Omit<KubeOptions, 'endpoints' | 'log' | 'makeCertificate'>;
  /** Empty: a member of our own. */
  readonly endpoints: readonly string[];
  readonly embeddedUrl: string;
  readonly level: LogLevel;
}

/** @throws KubeConfigError for files that cannot be read and ranges that are none */
function settingsOf({ values }: Parsed): Settings {
  const text = (name: string): string => values.get(name) as string;
  const list = (name: string): string[] =>
    text(name)
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean);
  const file = (name: string): string | undefined => (text(name) === '' ? undefined : read(name, text(name)));
  const pair = (a: string, b: string): void => {
    if ((text(a) === '') !== (text(b) === '')) throw new KubeConfigError(`--${a} and --${b} come together`);
  };
  pair('tls-cert-file', 'tls-private-key-file');
  pair('etcd-certfile', 'etcd-keyfile');
  const storeTls = {
    ...bufferOf('ca', file('etcd-cafile')),
    ...bufferOf('cert', file('etcd-certfile')),
    ...bufferOf('key', file('etcd-keyfile')),
  };
  const [user = '', ...password] = text('etcd-user').split(':');
  const audiences = list('api-audiences');
  return {
    endpoints: list('etcd-servers'),
    embeddedUrl: text('embedded-client-url'),
    level: text('log-level') as LogLevel,
    options: {
      ...(Object.keys(storeTls).length === 0 ? {} : { storeTls }),
      ...(user === '' ? {} : { storeAuth: { name: user, password: password.join(':') } }),
      prefix: text('etcd-prefix').replace(/\/+$/, ''),
      compactionIntervalMs: values.get('etcd-compaction-interval') as number,
      dataDir: text('data-dir'),
      ...given('kubeconfig', text('kubeconfig')),
      bindAddress: text('bind-address'),
      port: values.get('secure-port') as number,
      ...given('advertiseAddress', text('advertise-address')),
      ...given('externalHostname', text('external-hostname')),
      serviceCidr: text('service-cluster-ip-range'),
      nodePorts: portRange(text('service-node-port-range')),
      ...given('tokenFile', file('token-auth-file')),
      ...given('clientCa', file('client-ca-file')),
      ...given('serverCert', file('tls-cert-file')),
      ...given('serverKey', file('tls-private-key-file')),
      authorization: text('authorization-mode') as AuthorizationMode,
      anonymous: values.get('anonymous-auth') as boolean,
      issuer: text('service-account-issuer'),
      ...(audiences.length === 0 ? {} : { audiences }),
      enableAdmission: list('enable-admission-plugins'),
      disableAdmission: list('disable-admission-plugins'),
      maxInflight: values.get('max-requests-inflight') as number,
      maxMutatingInflight: values.get('max-mutating-requests-inflight') as number,
      controllers: list('controllers'),
      nodes: values.get('nodes') as number,
    },
  };
}

function given<K extends string>(name: K, value: string | undefined): { [P in K]?: string } {
  return value === undefined || value === '' ? {} : ({ [name]: value } as { [P in K]: string });
}

function bufferOf<K extends string>(name: K, text: string | undefined): { [P in K]?: Buffer } {
  return text === undefined ? {} : ({ [name]: Buffer.from(text) } as { [P in K]: Buffer });
}

function read(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (err) {
    throw new KubeConfigError(`--${flag}: ${(err as Error).message}`);
  }
}

function portRange(text: string): { first: number; last: number } {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || first < 1 || last > 65535 || first > last) {
    throw new KubeConfigError(`--service-node-port-range: ${JSON.stringify(text)} is no range of ports`);
  }
  return { first, last };
}

async function run({ options, endpoints, embeddedUrl, level }: Settings): Promise<void> {
  const startedAt = performance.now();
  const log = new JsonLogger({ level, caller: 'cli/kube.ts' });
  let member: RunningMember | null = null;
  let kube: RunningKube;
  try {
    if (endpoints.length === 0) member = await embedded(options.dataDir, embeddedUrl, log);
    kube = await startKube({ ...options, endpoints: member?.clientUrls ?? endpoints, log, makeCertificate });
  } catch (err) {
    process.stderr.write(`Error: ${(err as Error).message}\n`);
    if (log.enabled('debug')) process.stderr.write(`${(err as Error).stack}\n`);
    await member?.stop();
    process.exit(1);
  }
  tell(kube, startedAt, member === null ? endpoints.join(',') : `${member.clientUrls.join(',')} (embedded)`);
  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => resolve(name));
  });
  log.info('stopping', { signal });
  // Clients first: they are answered while the store still stands.
  await kube.stop();
  await member?.stop();
  process.exit(0);
}

function tell(kube: RunningKube, startedAt: number, store: string): void {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(2);
  process.stdout.write(
    `keel: Kubernetes API at ${kube.url}, ready in ${seconds} s; store: ${store}\n` +
      `keel: export KUBECONFIG=${kube.kubeconfig}\n`,
  );
}

/** The API beside a local cluster. Null if it could not be started; why is told. */
export async function localKube(
  dataDir: string,
  endpoints: readonly string[],
  flags: readonly string[],
): Promise<RunningKube | null> {
  const startedAt = performance.now();
  try {
    const { options, level } = settingsOf(parseLine(kubeFlags, [`--data-dir=${join(dataDir, 'kube')}`, ...flags]));
    const log = new JsonLogger({ level, caller: 'cli/kube.ts' });
    const kube = await startKube({ ...options, endpoints, log, makeCertificate });
    tell(kube, startedAt, endpoints.join(','));
    return kube;
  } catch (err) {
    process.stderr.write(`Error: ${unknownFlag((err as Error).message)}\n`);
    return null;
  }
}

/** A cluster of one inside this process. */
async function embedded(dataDir: string, url: string, log: JsonLogger): Promise<RunningMember> {
  const dir = join(dataDir, 'etcd');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const member = await startMember({
    config: { name: 'kube', dataDir: dir, listenPeerUrls: [] },
    listenClientUrls: [url],
    logger: log,
  });
  await member.ready;
  return member;
}
