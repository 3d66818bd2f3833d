import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KEEL_PROGRAM } from '../test/support/binaries.js';
import { Cluster } from '../test/support/cluster.js';
import { freePorts } from '../test/support/ports.js';
import { HttpsLoad } from './load/https.js';
import { cpuMicros, residentBytes } from './proc.js';

const TOKEN = 'bench-token';
const READY_MS = 60_000;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Which API server, and what it keeps its state in. */
export type KubeSubject = 'keel kube' | 'keel kube on etcd' | 'kube-apiserver on etcd';

/** An API server as a process of its own, on one member. */
export class KubeSystem {
  readonly label: KubeSubject;
  readonly load: HttpsLoad;
  readonly dir: string;
  version = '';
  /** How long it took to be ready. */
  readyMs = 0;
  readonly #child: ChildProcess;
  readonly #store: Cluster | null;

  private constructor(label: KubeSubject, dir: string, child: ChildProcess, store: Cluster | null, port: number) {
    this.label = label;
    this.dir = dir;
    this.load = new HttpsLoad({ port, token: TOKEN });
    this.#child = child;
    this.#store = store;
  }

  /** @param apiserver path of a real kube-apiserver, for that subject */
  static async start(label: KubeSubject, baseDir: string | undefined, apiserver = ''): Promise<KubeSystem> {
    const dir = mkdtempSync(join(baseDir ?? tmpdir(), 'keel-bench-kube-'));
    const store = label === 'keel kube' ? null : await Cluster.start({ kind: 'etcd', size: 1, baseDir: dir });
    const [port] = (await freePorts(1)) as [number];
    const tokens = join(dir, 'tokens.csv');
    writeFileSync(tokens, `${TOKEN},bench,bench,"system:masters"\n`, { mode: 0o600 });
    const flags = [
      `--secure-port=${port}`,
      '--bind-address=127.0.0.1',
      `--token-auth-file=${tokens}`,
      '--authorization-mode=RBAC',
      // Nobody makes the account of each namespace where there are no controllers.
      '--disable-admission-plugins=ServiceAccount',
      '--service-cluster-ip-range=10.96.0.0/16',
      ...(store === null ? [] : [`--etcd-servers=http://${store.endpoints[0]}`]),
    ];
    const log = openSync(join(dir, 'log'), 'a');
    const [program, args] =
      label === 'kube-apiserver on etcd'
        ? [apiserver, [...flags, ...ownFlags(dir)]]
        : [process.execPath, [KEEL_PROGRAM, 'kube', ...flags, `--data-dir=${join(dir, 'data')}`]];
    const began = performance.now();
    const child = spawn(program, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    running.add(child);
    child.once('exit', () => running.delete(child));
    child.once('error', () => running.delete(child));
    const system = new KubeSystem(label, dir, child, store, port);
    try {
      await system.#ready();
    } catch (err) {
      await system.dispose(true);
      throw err;
    }
    system.readyMs = performance.now() - began;
    const { body } = await system.load.call({ method: 'GET', path: '/version' });
    system.version = String(JSON.parse(body.toString()).gitVersion);
    return system;
  }

  async #ready(): Promise<void> {
    const until = performance.now() + READY_MS;
    for (;;) {
      if (!running.has(this.#child)) throw new Error(`${this.label} ended: ${this.#lastLines()}`);
      const answer = await this.load.call({ method: 'GET', path: '/readyz' }).catch(() => null);
      if (answer?.status === 200) return;
      if (performance.now() > until) throw new Error(`${this.label} is not ready: ${this.#lastLines()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  #lastLines(): string {
    return readFileSync(join(this.dir, 'log'), 'utf8').slice(-1000);
  }

  /** Server and store, microseconds. */
  cpu(): number {
    return this.#pids().reduce((sum, pid) => sum + cpuMicros(pid), 0);
  }

  /** Bytes of the server, and of its store where that is another process. */
  memory(): { server: number; store: number | null } {
    const [server, store] = this.#pids().map(residentBytes);
    return { server: server!, store: store ?? null };
  }

  #pids(): number[] {
    const store = this.#store?.members[0]?.process.pid;
    return [this.#child.pid!, ...(store === undefined ? [] : [store])];
  }

  async dispose(keep = false): Promise<void> {
    this.load.close();
    const child = this.#child;
    if (running.has(child)) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    }
    await this.#store?.dispose({ keep });
    if (!keep) rmSync(this.dir, { recursive: true, force: true });
  }
}

/** What a kube-apiserver insists on besides. */
function ownFlags(dir: string): string[] {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = join(dir, 'sa.key');
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  return [
    `--cert-dir=${join(dir, 'certs')}`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
  ];
}
