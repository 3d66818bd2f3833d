/** What one run of a container has said, in memory: its last lines, and who follows. */
import type { LogLine } from './runtime.js';

const LINES_MAX = 10_000;

export class LogBook {
  readonly #lines: LogLine[] = [];
  readonly #followers = new Set<(line: LogLine | null) => void>();
  #closed = false;

  write(at: number, text: string): void {
    if (this.#closed) return;
    const line = { at, text };
    this.#lines.push(line);
    // In large steps: shifting one by one costs the whole list each time.
    if (this.#lines.length > 2 * LINES_MAX) this.#lines.splice(0, this.#lines.length - LINES_MAX);
    for (const follower of [...this.#followers]) follower(line);
  }

  /** Nothing comes after this. */
  close(): void {
    this.#closed = true;
    for (const follower of [...this.#followers]) follower(null);
    this.#followers.clear();
  }

  /** Resolves at the end of what is there, or when following when the book is closed. */
  read(
    query: { readonly follow: boolean; readonly tailLines?: number; readonly since?: number },
    onLine: (line: LogLine) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { since = 0, tailLines } = query;
    let lines = this.#lines.slice(-LINES_MAX).filter((line) => line.at >= since);
    if (tailLines !== undefined) lines = tailLines === 0 ? [] : lines.slice(-tailLines);
    for (const line of lines) onLine(line);
    if (!query.follow || this.#closed || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        this.#followers.delete(follower);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const follower = (line: LogLine | null): void => {
        if (line === null) end();
        else onLine(line);
      };
      this.#followers.add(follower);
      signal.addEventListener('abort', end, { once: true });
    });
  }
}
