/**
 * The least of a controller: names of work that is due, done one after another, again later if it fails. What makes
 * namespaces and roles whole as long as no controllers run.
 */
import { ApiError } from '../machinery/api-error.js';
import type { KubeObject } from '../machinery/object.js';
import type { UserInfo } from '../machinery/request.js';
import type { WriteContext } from './resource.js';
import type { WatchedKind } from './watched-kind.js';

/** Who the server is when it writes on its own account. */
export const SERVER_USER: UserInfo = {
  username: 'system:apiserver',
  uid: '',
  groups: ['system:masters', 'system:authenticated'],
  extra: {},
};

/** A context of writes by the server itself. */
export function serverContext(fieldManager: string): WriteContext {
  return { user: SERVER_USER, dryRun: false, fieldManager, fieldValidation: 'Ignore', warn: () => {} };
}

export interface KeeperOptions {
  /** Named as the manager of fields. */
  readonly name: string;
  /** Told of what failed and will be tried again; not of conflicts. */
  readonly onError?: (error: unknown, key: string) => void;
  /** Pause after the first failure of a key, ms; doubled up to RETRY_MAX_MS. Default 100. */
  readonly retryMs?: number;
  readonly setTimer?: (run: () => void, ms: number) => () => void;
}

const RETRY_MAX_MS = 30_000;

function realTimer(run: () => void, ms: number): () => void {
  const timer = setTimeout(run, ms);
  timer.unref();
  return () => clearTimeout(timer);
}

export class Keeper {
  readonly context: WriteContext;
  readonly #work: (key: string) => Promise<unknown>;
  readonly #options: KeeperOptions;
  readonly #due = new Set<string>();
  readonly #later = new Map<string, { readonly cancel: () => void; readonly at: number }>();
  readonly #failures = new Map<string, number>();
  readonly #unfollow: (() => void)[] = [];
  #running = false;
  #stopped = false;
  #idle: (() => void)[] = [];

  /** @param work may answer a number: after how many ms it wants to be called again */
  constructor(work: (key: string) => Promise<unknown>, options: KeeperOptions) {
    this.#work = work;
    this.#options = options;
    this.context = serverContext(options.name);
  }

  /** Adds what `keysOf` makes of each change, those of what is there already included. */
  follow(watched: WatchedKind, keysOf: (object: KubeObject, gone: boolean) => Iterable<string>): void {
    watched.start();
    this.#unfollow.push(
      watched.onChange((object, old) => {
        for (const key of keysOf((object ?? old)!, object === null)) this.add(key);
      }),
    );
  }

  /** To be done soon; once, however often it is added before. */
  add(key: string): void {
    if (this.#stopped) return;
    this.#later.get(key)?.cancel();
    this.#later.delete(key);
    this.#due.add(key);
    if (!this.#running) void this.#run();
  }

  /** To be done after so long, ms, unless it is due before. */
  addLater(key: string, ms: number): void {
    const at = Date.now() + ms;
    const known = this.#later.get(key);
    if (this.#stopped || this.#due.has(key) || (known !== undefined && known.at <= at)) return;
    known?.cancel();
    const setTimer = this.#options.setTimer ?? realTimer;
    const cancel = setTimer(() => {
      this.#later.delete(key);
      this.add(key);
    }, ms);
    this.#later.set(key, { cancel, at });
  }

  stop(): void {
    this.#stopped = true;
    this.#due.clear();
    for (const unfollow of this.#unfollow.splice(0)) unfollow();
    for (const { cancel } of this.#later.values()) cancel();
    this.#later.clear();
  }

  /** When nothing is due. What waits for a later attempt does not count. */
  async whenIdle(): Promise<void> {
    if (this.#running) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  async #run(): Promise<void> {
    this.#running = true;
    await Promise.resolve(); // whoever adds one key often adds more in the same turn
    for (const key of this.#due) {
      this.#due.delete(key);
      try {
        const again = await this.#work(key);
        this.#failures.delete(key);
        if (typeof again === 'number') this.addLater(key, again);
      } catch (error) {
        this.#retry(key, error);
      }
    }
    this.#running = false;
    for (const wake of this.#idle.splice(0)) wake();
  }

  #retry(key: string, error: unknown): void {
    if (this.#stopped) return;
    // A conflict is no failure: somebody else wrote what was read, so it is read again.
    if (!(error instanceof ApiError && error.reason === 'Conflict')) this.#options.onError?.(error, key);
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    this.addLater(key, Math.min(RETRY_MAX_MS, (this.#options.retryMs ?? 100) * 2 ** (failures - 1)));
  }
}
