import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { etcdctlBinary } from './binaries.js';
import type { Cluster } from './cluster.js';
import { sleep } from './member-process.js';

export interface CtlResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The real etcdctl against one cluster, with its output made comparable to another cluster's. */
export class Etcdctl {
  readonly #endpoints: string[];
  /** Names and addresses of the members, and what they are replaced by. */
  readonly #own: [string, string][];
  readonly #children = new Set<ChildProcess>();

  /** @param endpoints what is passed as --endpoints; default all */
  constructor(cluster: Cluster, endpoints: string[] = cluster.endpoints) {
    this.#endpoints = endpoints;
    this.#own = cluster.members.flatMap((m): [string, string][] => [
      [m.endpoint, '<client>'],
      [`127.0.0.1:${m.peerPort}`, '<peer>'],
      [m.name, '<name>'],
    ]);
  }

  /** Runs a command to its end. */
  async run(args: string[], stdin = '', timeoutMs = 20_000): Promise<CtlResult> {
    const child = this.#spawn(args, stdin);
    child.stdin?.end();
    const result: CtlResult = { code: null, stdout: '', stderr: '' };
    child.stdout?.on('data', (chunk) => (result.stdout += chunk));
    child.stderr?.on('data', (chunk) => (result.stderr += chunk));
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    result.code = await new Promise((resolve) => child.once('close', resolve));
    clearTimeout(timer);
    return result;
  }

  /** Starts a command that does not end by itself; its standard input stays open. */
  background(args: string[], stdin = ''): BackgroundCommand {
    const child = this.#spawn(args, stdin);
    return new BackgroundCommand(child);
  }

  #spawn(args: string[], stdin: string): ChildProcess {
    const path = etcdctlBinary();
    if (!path) throw new Error('no etcdctl: set KEEL_TEST_ETCDCTL_BIN or put etcdctl on PATH');
    const child = spawn(path, [`--endpoints=${this.#endpoints.join(',')}`, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH ?? '', ETCDCTL_API: '3' },
    });
    this.#children.add(child);
    child.once('close', () => this.#children.delete(child));
    child.stdin?.on('error', () => {}); // a command that does not read its input closes it
    if (stdin !== '') child.stdin?.write(stdin);
    return child;
  }

  kill(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }

  /** What two clusters may differ in, replaced by names: addresses, server-chosen ids, terms, sizes, times, versions. */
  mask(text: string): string {
    let masked = text;
    for (const [text, name] of this.#own) masked = masked.replaceAll(text, name);
    return MASKS.reduce((result, [pattern, name]) => result.replace(pattern, name), masked);
  }
}

const MASKS: [RegExp, string][] = [
  [
    /"(cluster_id|member_id|ID|leader|raftTerm|raft_term|raftIndex|raftAppliedIndex|dbSize|dbSizeInUse)":\d+/g,
    '"$1":<n>',
  ],
  [
    /"(ClusterID|MemberID|RaftTerm|RaftIndex|RaftAppliedIndex|DBSize|DBSizeInUse|Leader|ID|LeaseID)" : \d+/g,
    '"$1" : <n>',
  ],
  [/"(id)":\d{6,}/g, '"$1":<n>'],
  [/"(lease)":\d+/gi, '"$1":<lease>'],
  [/"(Lease)" : \d+/g, '"$1" : <lease>'],
  [/"version":"[\d.]+"/g, '"version":"<version>"'],
  [/"Version" : "[\d.]+"/g, '"Version" : "<version>"'],
  [/\b[0-9a-f]{12,16}\b/g, '<id>'],
  [/\b3\.\d+\.\d+\b/g, '<version>'],
  [/[\d.]+ (B|kB|MB)\b/g, '<size>'],
  [/[\d.]+(µs|ms|s)\b/g, '<time>'],
  [/"took":"[^"]+"/g, '"took":"<time>"'],
  [/remaining\(\d+s\)/g, 'remaining(<time>)'],
  [/"ttl":\d+/g, '"ttl":<ttl>'],
  [/"TTL" : \d+/g, '"TTL" : <ttl>'],
  [/"ts":"[^"]+"/g, '"ts":"<time>"'],
  [/(true|false), \d+, \d+, \d+,/g, '$1, <term>, <index>, <applied>,'],
  [/\| +\d+ \| +\d+ \| +\d+ \|/g, '| <term> | <index> | <applied> |'],
  [/LocalAddr: '[^']+'/g, "LocalAddr: '<address>'"],
  [/etcd-endpoints:\/\/0x[0-9a-f]+/g, 'etcd-endpoints://<pointer>'],
];

export class BackgroundCommand {
  stdout = '';
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.on('data', (chunk) => (this.stdout += chunk));
    this.#closed = new Promise((resolve) => child.once('close', resolve));
  }

  /** Waits for output, then ends the command. @returns all it wrote to standard output */
  async until(enough: (stdout: string) => boolean, timeoutMs = 10_000): Promise<string> {
    await this.seen(enough, timeoutMs);
    this.#child.kill('SIGKILL');
    await this.#closed;
    return this.stdout;
  }

  async seen(enough: (stdout: string) => boolean, timeoutMs = 10_000): Promise<void> {
    const until = Date.now() + timeoutMs;
    while (!enough(this.stdout)) {
      if (Date.now() > until) {
        this.#child.kill('SIGKILL');
        throw new Error(`not seen after ${timeoutMs} ms, but: ${this.stdout}`);
      }
      await sleep(20);
    }
  }

  /** Waits until the command ends by itself. */
  async ended(timeoutMs = 10_000): Promise<string> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), timeoutMs);
    await this.#closed;
    clearTimeout(timer);
    return this.stdout;
  }
}
