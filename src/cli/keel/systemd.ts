import { spawn } from 'node:child_process';
import type { Logger } from '../../util/log.js';

/** sd_notify(3): what a unit of Type=notify waits for. */
export type State = 'READY=1' | 'STOPPING=1';

/** Programs that can send a datagram to a unix socket, which Node cannot; `input` goes to their stdin. */
const SENDERS: readonly ((socket: string, state: State) => readonly string[])[] = [
  (_socket, state) => ['systemd-notify', state],
  (socket, state) => [
    'socat',
    '-u',
    `SYSTEM:printf %s ${state}`,
    socket.startsWith('@') ? `ABSTRACT-SENDTO:${socket.slice(1)}` : `UNIX-SENDTO:${socket}`,
  ],
];

/**
 * Tells systemd what has become of the unit, where it asked to be told (NOTIFY_SOCKET). The unit needs
 * NotifyAccess=all: it is a child that speaks. Never fails; what went wrong is logged.
 */
export async function notifySystemd(env: NodeJS.ProcessEnv, state: State, log: Logger): Promise<void> {
  const socket = env.NOTIFY_SOCKET;
  if (socket === undefined || socket === '') return;
  log.info('notifying init daemon', { state });
  let why = '';
  for (const sender of SENDERS) {
    const [command, ...args] = sender(socket, state) as [string, ...string[]];
    const problem = await run(command, args, env);
    if (problem === null) return log.info('successfully notified init daemon', { state });
    why += `${why === '' ? '' : '; '}${command}: ${problem}`;
  }
  log.error('failed to notify systemd for readiness', { state, error: why });
}

const PATIENCE_MS = 5000;

/** @returns null, or what went wrong */
function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env, stdio: 'ignore', timeout: PATIENCE_MS });
    child.on('error', (err: NodeJS.ErrnoException) => resolve(err.code === 'ENOENT' ? 'not found' : err.message));
    child.on('exit', (code, signal) => resolve(code === 0 ? null : `ended with ${signal ?? code}`));
  });
}
