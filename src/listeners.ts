import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RealEnv } from './env/real-env.js';
import type { TlsSettings } from './env/tls/index.js';
import { PEER_PROTOCOLS, selfSigned, TlsDialer, TlsError, TlsServer, tlsDefaults } from './env/tls/index.js';
import { ClientPort } from './gateway/index.js';
import type { ListenTarget } from './listen-url.js';
import { bindAddress, ListenError, parseListenUrl } from './listen-url.js';
import type { Logger } from './util/log.js';

/** TLS of one side. Paths are of PEM files; what changes on disk is in force from the next handshake on. */
export type TlsOptions = Partial<Omit<TlsSettings, 'selfSigned'>> & {
  /** Without a certificate: make one, and keep it in the data folder (--auto-tls, --peer-auto-tls). */
  readonly auto?: boolean;
  /** How long such a one is good for; --self-signed-cert-validity. Default 1. */
  readonly autoYears?: number;
};

/** What a client port serves. `metrics` is http without the API. */
export type Serves = 'all' | 'grpc' | 'http' | 'metrics';

export interface OpenPort {
  readonly serves: Serves;
  readonly secure: boolean;
  /** With the port that was bound. */
  readonly url: string;
  readonly port: ClientPort;
}

/** URLs to listen on, and the flag that they came by. */
export interface PortGroup {
  readonly serves: Serves;
  readonly flag: string;
  readonly urls: readonly string[];
}

const CALLER = 'keel/listeners.ts';

/** ALPN's names, best first. */
const PROTOCOLS: Readonly<Record<Serves, readonly string[]>> = {
  all: ['h2', 'http/1.1'],
  grpc: ['h2'],
  http: ['http/1.1'],
  metrics: ['http/1.1'],
};

/**
 * Takes the ports for clients.
 * @throws ListenError, ConfigError for a URL, TlsError. None is left open then.
 */
export async function openClientPorts(
  groups: readonly PortGroup[],
  options: TlsOptions,
  dataDir: string,
  logger: Logger,
): Promise<OpenPort[]> {
  const log = logger.with({ caller: CALLER });
  const wanted = groups.flatMap(({ serves, flag, urls }) =>
    urls.map((url) => ({ serves, url, target: parseListenUrl(url, flag) })),
  );
  const tls = settingsOf(
    options,
    'client',
    wanted.map(({ target }) => target),
    dataDir,
    log,
  );
  const ports: OpenPort[] = [];
  try {
    for (const { serves, url, target } of wanted) {
      const door = target.secure ? clientDoor(tls, serves, url, log) : null;
      if (!target.secure && serves !== 'metrics') warnPlain(tls, options, 'client-url', url, log);
      const port = await listenClients(target, door);
      ports.push({ serves, secure: target.secure, url: urlOf(target, port.address), port });
    }
  } catch (err) {
    for (const { port } of ports) port.destroy();
    throw err;
  }
  if (tls.certFile !== '') logTls('client', tls, log);
  return ports;
}

export interface PeerAddresses {
  /** host:port that were bound, for `Member.listen`. */
  readonly addresses: readonly string[];
  /** The same as URLs. */
  readonly urls: readonly string[];
}

/** Takes the ports for peers. @throws as openClientPorts; the environment gives them back when it is closed */
export async function reservePeerPorts(
  env: RealEnv,
  urls: readonly string[],
  options: TlsOptions,
  dataDir: string,
): Promise<PeerAddresses> {
  const log = env.log.with({ caller: CALLER });
  const targets = urls.map((url) => parseListenUrl(url, 'listen-peer-urls'));
  const tls = settingsOf(options, 'peer', targets, dataDir, log);
  env.net.dialWith(new TlsDialer(tls, log));
  const addresses: string[] = [];
  for (const [i, target] of targets.entries()) {
    if (target.kind !== 'tcp') throw new ListenError('unix', target.path, new Error('peers are reached by TCP only'));
    const address = bindAddress(target);
    if (target.secure && tls.certFile === '' && tls.keyFile === '') {
      throw new TlsError(`cannot listen on TLS for ${address}: KeyFile and CertFile are not presented`);
    }
    if (!target.secure) warnPlain(tls, options, 'peer-url', urls[i] as string, log);
    const server = target.secure ? new TlsServer(tls, { side: 'peer', protocols: PEER_PROTOCOLS, log }) : null;
    addresses.push(await reserve(env, address, server));
  }
  if (tls.certFile !== '') logTls('peer', tls, log);
  return { addresses, urls: addresses.map((address, i) => urlOf(targets[i] as ListenTarget, address)) };
}

function settingsOf(
  { auto, autoYears, ...given }: TlsOptions,
  side: 'client' | 'peer',
  targets: readonly ListenTarget[],
  dataDir: string,
  log: Logger,
): TlsSettings {
  const tls: TlsSettings = { ...tlsDefaults, ...given };
  if (auto !== true) return tls;
  if (tls.certFile !== '' || tls.keyFile !== '') {
    log.warn(`ignoring ${side} auto TLS since certs given`);
    return tls;
  }
  const hosts = targets.map((target) => (target.kind === 'tcp' ? target.host : ''));
  return selfSigned(tls, { dir: join(dataDir, 'fixtures', side), hosts, years: autoYears ?? 1, log });
}

function clientDoor(tls: TlsSettings, serves: Serves, url: string, log: Logger): TlsServer {
  if (tls.certFile === '' && tls.keyFile === '') {
    throw new TlsError(
      serves === 'metrics'
        ? 'client TLS key/cert (--cert-file, --key-file) must be provided for metrics secure url'
        : `TLS key/cert (--cert-file, --key-file) must be provided for client url ${url} with HTTPS scheme`,
    );
  }
  return new TlsServer(tls, { side: 'client', protocols: PROTOCOLS[serves], log });
}

function warnPlain(tls: TlsSettings, { clientCertAuth }: TlsOptions, field: string, url: string, log: Logger): void {
  const [scheme, flag] =
    field === 'client-url' ? ['http or unix', '--client-cert-auth'] : ['HTTP', '--peer-client-cert-auth'];
  if (tls.certFile !== '') {
    log.warn(`scheme is ${scheme} while key and cert files are present; ignoring key and cert files`, { [field]: url });
  }
  if (clientCertAuth === true) {
    log.warn(`scheme is ${scheme} while ${flag} is enabled; ignoring client cert auth for this URL`, { [field]: url });
  }
}

function logTls(side: 'client' | 'peer', tls: TlsSettings, log: Logger): void {
  log.info(`starting with ${side} TLS`, {
    'tls-info': `cert = ${tls.certFile}, key = ${tls.keyFile}, client-cert=${tls.clientCertFile}, client-key=${tls.clientKeyFile}, trusted-ca = ${tls.trustedCaFile}, client-cert-auth = ${tls.clientCertAuth}, crl-file = ${tls.crlFile}`,
  });
}

function reserve(env: RealEnv, address: string, server: TlsServer | null): Promise<string> {
  return new Promise((resolve, reject) => {
    const taken = (err: Error | null, bound: string): void => {
      if (err === null) resolve(bound);
      else reject(new ListenError('tcp', address, err));
    };
    env.net.reserve(address, taken, server);
  });
}

async function listenClients(target: ListenTarget, door: TlsServer | null): Promise<ClientPort> {
  if (target.kind === 'unix') {
    // What a member that was killed has left, as with etcd.
    rmSync(target.path, { force: true });
    return ClientPort.listen({ path: target.path }, door).catch((err: Error) => {
      throw new ListenError('unix', target.path, err);
    });
  }
  const address = bindAddress(target);
  const host = address.slice(0, address.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');
  const where = host === '' ? { port: target.port } : { port: target.port, host };
  return ClientPort.listen(where, door).catch((err: Error) => {
    throw new ListenError('tcp', address, err);
  });
}

/** The URL as it was given, with the port that was bound. */
function urlOf(target: ListenTarget, address: string): string {
  if (target.kind === 'unix') return `${target.scheme}://${target.path}`;
  const host = target.host === 'localhost' && target.port === 0 ? '127.0.0.1' : target.host;
  return `${target.scheme}://${host === '' ? '0.0.0.0' : host}${address.slice(address.lastIndexOf(':'))}`;
}
