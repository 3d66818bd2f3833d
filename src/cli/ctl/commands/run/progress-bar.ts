import { formatDuration } from '../../go.js';
import type { Io } from '../../io.js';

const REFRESH_MS = 200;

/** Counts up to a total in one line, as etcdctl's does where its output is no terminal. */
export class ProgressBar {
  readonly #io: Io;
  readonly #total: number;
  readonly #start = performance.now();
  readonly #timer: NodeJS.Timeout;
  #current = 0;
  #shown = 0;
  #changedAt = 0;

  constructor(io: Io, total: number) {
    this.#io = io;
    this.#total = total;
    this.#write('');
    this.#timer = setInterval(() => this.#refresh(), REFRESH_MS);
  }

  increment(): void {
    this.#current++;
  }

  finish(): void {
    clearInterval(this.#timer);
    this.#write(` ${formatDuration(Math.floor((performance.now() - this.#start) / 1000) * 1000)}`);
    this.#io.out('\n');
  }

  #refresh(): void {
    if (this.#current === this.#shown) return;
    this.#changedAt = performance.now() - this.#start;
    const left = Math.floor(((this.#changedAt / this.#current) * (this.#total - this.#current)) / 1000);
    this.#write(left > 0 ? ` ${two(Math.floor(left / 60))}m${two(left % 60)}s` : '');
    this.#shown = this.#current;
  }

  #write(time: string): void {
    const percent = ((this.#current * 100) / this.#total).toFixed(2).padStart(6);
    this.#io.out(`\r ${this.#current} / ${this.#total}  ${percent}%${time}`);
  }
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
