import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import type { StoreKind } from './binaries.js';
import { etcdBinary, KEEL_PROGRAM, onPath } from './binaries.js';

const READY = '"ready to serve client requests"';
const POLL_MS = 20;

/** Pids of every member that this process started and that has not been seen to exit. */
const running = new Set<ChildProcess>();

function killAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

process.once('exit', killAll);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    killAll();
    process.exit(1);
  });
}

export interface MemberSpec {
  kind: StoreKind;
  name: string;
  /** etcd's flags, which are also ours. */
  flags: string[];
  /** Output goes straight into this file: a pipe would stall the member while the test's event loop is busy. */
  logFile: string;
  env?: Record<string, string>;
  /** Arguments for node, before the program (kind keel only). */
  nodeArgs?: string[];
}

/** One member as a child process that can be killed, paused and started again. */
export class MemberProcess {
  readonly spec: MemberSpec;
  #child: ChildProcess | undefined;
  #exited: Promise<string> = Promise.resolve('not started');
  #paused = false;
  #logStart = 0;

  constructor(spec: MemberSpec) {
    this.spec = spec;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get running(): boolean {
    return this.#child !== undefined;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Starts the process; readiness is awaited separately, since a member alone has no quorum. */
  start(): void {
    if (this.#child) throw new Error(`${this.spec.name} runs already`);
    const { kind, flags, logFile, nodeArgs = [] } = this.spec;
    const log = openSync(logFile, 'a');
    this.#logStart = statSync(logFile).size;
    const [program, args] =
      kind === 'keel' ? [process.execPath, [...nodeArgs, KEEL_PROGRAM, 'server', ...flags]] : [requireEtcd(), flags];
    const child = spawn(...leashed(program, args), {
      stdio: ['ignore', log, log],
      env: { ...cleanEnv(), ...this.spec.env },
    });
    closeSync(log);
    this.#child = child;
    this.#paused = false;
    running.add(child);
    this.#exited = new Promise((resolve) => {
      const done = (how: string) => {
        running.delete(child);
        if (this.#child === child) this.#child = undefined;
        resolve(how);
      };
      child.once('error', (err) => done(`could not be started: ${err.message}`));
      child.once('exit', (code, signal) => done(signal ? `was ended by ${signal}` : `exited with code ${code}`));
    });
  }

  /** Waits for the log line that says so; rejects with the log's end if the process exits or time runs out. */
  async ready(timeoutMs: number): Promise<void> {
    const until = Date.now() + timeoutMs;
    let how: string | undefined;
    const exited = this.#exited.then((text) => {
      how = text;
    });
    for (;;) {
      const log = this.log();
      if (log.includes(READY)) return;
      if (how) throw new Error(`${this.spec.name} ${how} before it was ready\n${tail(log)}`);
      if (Date.now() > until) throw new Error(`${this.spec.name} not ready after ${timeoutMs} ms\n${tail(log)}`);
      await Promise.race([exited, sleep(POLL_MS)]);
    }
  }

  /** What this run of the process has logged so far. */
  log(): string {
    return readFileSync(this.spec.logFile).subarray(this.#logStart).toString('utf8');
  }

  /** Waits until this run of the process is over. @returns how it ended */
  exited(): Promise<string> {
    return this.#exited;
  }

  /** `kill -9`; resolves when the process is gone. */
  async kill9(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#exited;
  }

  /** SIGTERM and a wait; SIGKILL when that takes longer than `timeoutMs`. @returns how the process ended */
  async stop(timeoutMs = 10_000): Promise<string> {
    const child = this.#child;
    if (!child) return 'not running';
    if (this.#paused) this.resume();
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    const how = await this.#exited;
    clearTimeout(timer);
    return how;
  }

  pause(): void {
    if (this.#child?.kill('SIGSTOP')) this.#paused = true;
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
    this.#paused = false;
  }
}

const SETPRIV = onPath('setpriv');

/** Where the system can (Linux), the kernel ends a member whose test process was itself killed by SIGKILL. */
function leashed(program: string, args: string[]): [string, string[]] {
  return SETPRIV ? [SETPRIV, ['--pdeathsig', 'KILL', program, ...args]] : [program, args];
}

function requireEtcd(): string {
  const path = etcdBinary();
  if (!path) throw new Error('no etcd: set KEEL_TEST_ETCD_BIN or put etcd on PATH');
  return path;
}

/** The environment without the variables that a server would take for its own settings. */
function cleanEnv(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(process.env)) {
    const setting = /^(ETCD|ETCDCTL|KEEL|NODE|VITEST)_/.test(name) && !name.startsWith('KEEL_TEST_LOSSY');
    if (!setting) env[name] = value;
  }
  return env;
}

function tail(log: string): string {
  return log.split('\n').slice(-15).join('\n');
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
