import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Io } from '../../src/cli/ctl/io.js';
import { runCommandLine } from '../../src/cli/ctl/main.js';
import { ROOT } from '../../src/cli/ctl/tree.js';
import { etcdctlBinary, REPO_ROOT } from './binaries.js';

export interface CtlRun {
  args: readonly string[];
  stdin?: string | Buffer;
  env?: Record<string, string>;
  /** SIGINT, when the output has it or after so many ms. */
  interrupt?: RegExp | number;
}

export interface CtlResult {
  code: number;
  /** latin1, so that no byte is lost. */
  out: string;
  err: string;
}

/** keelctl inside this process: as fast as the store answers. */
export async function runKeelctl(run: CtlRun): Promise<CtlResult> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const stdin = Buffer.from(run.stdin ?? '');
  let interrupt = (): void => {};
  /** As a signal that nobody handles ends a process. */
  const killed = new Promise<number>((resolve) => {
    interrupt = () => resolve(KILLED);
  });
  const shown = (): void => {
    if (matches(run.interrupt, out)) setImmediate(() => interrupt());
  };
  const io: Io = {
    out: (data) => {
      out.push(Buffer.from(data));
      shown();
    },
    onInterrupt: (fn) => {
      interrupt = fn;
      shown();
    },
    err: (text) => void err.push(Buffer.from(text)),
    readAll: async () => stdin,
    async *lines() {
      yield* stdin.toString('utf8').match(/[^\n]*\n|[^\n]+/g) ?? [];
    },
    env: { PATH: process.env.PATH, ...run.env },
  };
  if (typeof run.interrupt === 'number') setTimeout(() => interrupt(), run.interrupt);
  const code = await Promise.race([runCommandLine(ROOT, run.args, io), killed]);
  return { code, out: Buffer.concat(out).toString('latin1'), err: Buffer.concat(err).toString('latin1') };
}

const KILLED = 128;

function matches(interrupt: CtlRun['interrupt'], out: readonly Buffer[]): boolean {
  return interrupt instanceof RegExp && interrupt.test(Buffer.concat(out).toString('latin1'));
}

/** The real etcdctl. */
export function runEtcdctl(run: CtlRun): Promise<CtlResult> {
  return runProgram(etcdctlBinary()!, run);
}

/** The built program. */
export const keelctlProgram = join(REPO_ROOT, 'dist', 'cli', 'keelctl.js');

/** keelctl as users start it; needs a build. */
export function runKeelctlProgram(run: CtlRun, untilMs = 10_000): Promise<CtlResult> {
  return runProgram(process.execPath, { ...run, args: [keelctlProgram, ...run.args] }, untilMs);
}

/** @param untilMs then it is killed (SIGTERM), and the code is 124 */
export function runProgram(program: string, run: CtlRun, untilMs = 10_000): Promise<CtlResult> {
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...run.env };
    const child = spawn(program, run.args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGTERM');
    }, untilMs);
    child.stdout.on('data', (chunk: Buffer) => {
      out.push(chunk);
      if (matches(run.interrupt, out)) child.kill('SIGINT');
    });
    if (typeof run.interrupt === 'number') setTimeout(() => child.kill('SIGINT'), run.interrupt);
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    // A program that does not read its input may be gone before we have written it.
    child.stdin.on('error', () => {});
    child.stdin.end(run.stdin ?? '');
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({
        code: late ? 124 : (code ?? 128),
        out: Buffer.concat(out).toString('latin1'),
        err: Buffer.concat(err).toString('latin1'),
      });
    });
  });
}
