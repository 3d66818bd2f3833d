import { spawn } from 'node:child_process';
import type { Mutex as MutexType } from '../../../../client/index.js';
import { Mutex, Session } from '../../../../client/index.js';
import * as wire from '../../../../wire/index.js';
import type { Context } from '../../context.js';
import { orFail } from '../../context.js';
import { badArgs, Exit, Fail } from '../../fail.js';
import { quote } from '../../go.js';
import { rpc } from '../rpc.js';
import { interruption } from './interruption.js';

const TTL_DEFAULT = 60;

/**
 * Holds a lock while a program runs, or until it is interrupted. The session's lease is left to run out, as etcdctl does:
 * only the key is deleted.
 */
export async function runLock(context: Context, args: string[]): Promise<void> {
  if (args.length === 0) throw badArgs('lock takes a lock name argument and an optional command to execute');
  const [name, ...command] = args as [string, ...string[]];
  const ttl = context.flags.int('ttl');
  const session = await orFail(Session.open(context.client, { ttl: ttl > 0 ? ttl : TTL_DEFAULT }));
  const mutex = new Mutex(session, name);
  const interrupted = interruption(context.io);
  await orFail(mutex.lock({ signal: interrupted.signal }).catch(interrupted.rethrow));
  if (command.length > 0) return runCommand(context, mutex, command);
  const reply = await orFail(rpc.range(context, { ...wire.makeRangeRequest(), key: mutex.key!.latin1Slice() }));
  if (reply.kvs.length === 0) throw new Fail(Exit.ERROR, 'lock lost on init');
  context.printer.get(reply, { keysOnly: false, valueOnly: false });
  const lost = await Promise.race([session.lost, interrupted.done]);
  if (lost !== undefined) throw new Fail(Exit.ERROR, 'session expired');
  await orFail(mutex.unlock());
}

/** The lock is given up whatever becomes of the program, whose exit code becomes ours. */
async function runCommand(context: Context, mutex: MutexType, command: readonly string[]): Promise<void> {
  const problem = await runProgram(context, command, {
    ETCD_LOCK_KEY: mutex.key!.toString('utf8'),
    ETCD_LOCK_REV: String(mutex.header?.revision ?? 0),
  });
  const unlocked = mutex.unlock();
  if (problem !== null) {
    await unlocked.catch(() => {});
    throw problem;
  }
  await orFail(unlocked);
}

function runProgram(context: Context, command: readonly string[], lock: Record<string, string>): Promise<Fail | null> {
  const [program, ...args] = command as [string, ...string[]];
  return new Promise((resolve) => {
    // What the environment says already counts more, as with etcdctl: of two entries Go's programs see the later one.
    const env = { ...lock, ...context.io.env };
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    child.stdout.on('data', (chunk: Buffer) => context.io.out(chunk));
    child.stderr.on('data', (chunk: Buffer) => context.io.err(chunk.toString('utf8')));
    child.once('error', (err: NodeJS.ErrnoException) => resolve(new Fail(Exit.ERROR, spawnText(program, err))));
    child.once('close', (code, signal) => {
      if (code === 0) resolve(null);
      else if (signal !== null) resolve(new Fail(255, `signal: ${SIGNALS[signal] ?? signal}`));
      else resolve(new Fail(code ?? Exit.ERROR, `exit status ${code}`));
    });
  });
}

/** In Go's words. */
function spawnText(program: string, { code }: NodeJS.ErrnoException): string {
  if (!program.includes('/')) return `exec: ${quote(program)}: executable file not found in $PATH`;
  const why = code === 'EACCES' ? 'permission denied' : code === 'ENOENT' ? 'no such file or directory' : code;
  return `fork/exec ${program}: ${why}`;
}

const SIGNALS: Readonly<Record<string, string>> = {
  SIGKILL: 'killed',
  SIGTERM: 'terminated',
  SIGINT: 'interrupt',
  SIGHUP: 'hangup',
  SIGQUIT: 'quit',
  SIGABRT: 'aborted',
  SIGSEGV: 'segmentation fault',
};
