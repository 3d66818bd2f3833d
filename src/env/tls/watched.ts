import { statSync } from 'node:fs';

/**
 * What was made of some files, and is made anew when one of them has changed. It looks when it is asked, which is once
 * a handshake; etcd reads its files for each.
 */
export class Watched<T> {
  readonly #paths: readonly string[];
  readonly #load: () => T;
  readonly #onFailed: (err: Error) => void;
  #value: T;
  #seen: string;

  /** @throws what `load` throws: there is nothing to go on with yet */
  constructor(paths: readonly string[], load: () => T, onFailed: (err: Error) => void) {
    this.#paths = paths.filter((path) => path !== '');
    this.#load = load;
    this.#onFailed = onFailed;
    this.#seen = this.#state();
    this.#value = load();
  }

  /** The newest that could be loaded: a certificate and its key are replaced one after the other. */
  get(): T {
    const state = this.#state();
    if (state === this.#seen) return this.#value;
    this.#seen = state;
    try {
      this.#value = this.#load();
    } catch (err) {
      this.#onFailed(err as Error);
    }
    return this.#value;
  }

  #state(): string {
    let state = '';
    for (const path of this.#paths) {
      const stat = statSync(path, { throwIfNoEntry: false });
      state += stat === undefined ? '-;' : `${stat.mtimeMs} ${stat.ctimeMs} ${stat.size} ${stat.ino};`;
    }
    return state;
  }
}
