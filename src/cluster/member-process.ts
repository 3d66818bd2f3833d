import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export type ProcessState = 'down' | 'starting' | 'up' | 'stopping';

const READY = 'ready to serve client requests';

/** One member as a child process; its output goes to `onLine`, a line at a time. */
export class MemberProcess {
  readonly name: string;
  readonly #command: readonly string[];
  readonly #onLine: (line: string) => void;
  readonly #onExit: (how: string, expected: boolean) => void;
  #child: ChildProcess | null = null;
  #state: ProcessState = 'down';
  #exited: Promise<void> = Promise.resolve();

  constructor(
    name: string,
    command: readonly string[],
    onLine: (line: string) => void,
    onExit: (how: string, expected: boolean) => void,
  ) {
    this.name = name;
    this.#command = command;
    this.#onLine = onLine;
    this.#onExit = onExit;
  }

  get state(): ProcessState {
    return this.#state;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    if (this.#child !== null) return;
    const [file, ...args] = this.#command as [string, ...string[]];
    // A group of its own: Ctrl-C in the terminal is ours to pass on, in order.
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    this.#child = child;
    this.#state = 'starting';
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        if (this.#state === 'starting' && line.includes(READY)) this.#state = 'up';
        this.#onLine(line);
      });
    }
    this.#exited = new Promise((resolve) => {
      const over = (how: string): void => {
        if (this.#child !== child) return;
        const expected = this.#state === 'stopping';
        this.#child = null;
        this.#state = 'down';
        this.#onExit(how, expected);
        resolve();
      };
      child.once('error', (err) => over(err.message));
      child.once('exit', (code, signal) => over(signal === null ? `status ${code}` : `signal ${signal}`));
    });
  }

  /** Asks it to stop, and kills it where it does not within `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    if (this.#child === null) return;
    this.#state = 'stopping';
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), timeoutMs);
    await this.#exited;
    clearTimeout(timer);
  }

  /** kill -9. */
  async kill(): Promise<void> {
    if (this.#child === null) return;
    this.#state = 'stopping';
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}
