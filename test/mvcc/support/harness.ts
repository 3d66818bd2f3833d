import { Lessor, readLeases } from '../../../src/lease/index.js';
import type { MvccOptions, MvccStore } from '../../../src/mvcc/index.js';
import { openMvcc } from '../../../src/mvcc/index.js';
import type { Backend, Bucket } from '../../../src/storage/backend/index.js';
import { BUCKET_MAX, MemoryBackend } from '../../../src/storage/backend/index.js';

/** The turns of an event loop, one at a time. */
export class Loop {
  #tasks: (() => void)[] = [];

  readonly defer = (fn: () => void): void => {
    this.#tasks.push(fn);
  };

  get pending(): number {
    return this.#tasks.length;
  }

  /** Runs up to `count` tasks. */
  run(count = Number.POSITIVE_INFINITY): void {
    for (let n = 0; n < count && this.#tasks.length > 0; n++) {
      if (n > 1_000_000) throw new Error('the loop never comes to rest');
      (this.#tasks.shift() as () => void)();
    }
  }

  clear(): void {
    this.#tasks = [];
  }
}

/** Where a store lives: its turns, and what is left of its backend after a crash. */
export interface World {
  readonly loop: Pick<Loop, 'defer' | 'pending' | 'run'>;
  open(): Backend;
  /** A power cut, and another start. */
  crash(): Backend;
}

export class MemoryWorld implements World {
  readonly loop: Loop;
  #backend: MemoryBackend;

  constructor(loop = new Loop()) {
    this.loop = loop;
    this.#backend = new MemoryBackend(loop.defer);
  }

  open(): Backend {
    return this.#backend;
  }

  crash(): Backend {
    this.loop.clear();
    this.#backend = this.#backend.reopen();
    return this.#backend;
  }
}

/** A store with its lessor over a backend, as a server holds them. */
export class TestStore {
  readonly loop: World['loop'];
  backend: Backend;
  store: MvccStore;
  lessor: Lessor;
  readonly options: MvccOptions;
  readonly #world: World;
  applied = 0;

  constructor(options: MvccOptions = {}, world: World = new MemoryWorld()) {
    this.#world = world;
    this.loop = world.loop;
    this.options = options;
    this.backend = world.open();
    this.applied = this.backend.appliedIndex;
    this.lessor = this.#newLessor();
    this.store = this.#open();
  }

  /** One apply: calls `fn` and closes it in the backend. */
  apply<T>(fn: (store: MvccStore, lessor: Lessor) => T): T {
    const result = fn(this.store, this.lessor);
    this.backend.setApplied(++this.applied, 1);
    return result;
  }

  /** What is applied is durable when it returns. */
  flush(): void {
    let done = false;
    this.backend.flush((err) => {
      if (err !== null) throw err;
      done = true;
    });
    for (let i = 0; !done && i < 100_000; i++) this.loop.run(1);
  }

  /** A power cut: what was not flushed is gone. */
  crash(): void {
    this.store.close();
    this.backend = this.#world.crash();
    this.applied = this.backend.appliedIndex;
    this.lessor = this.#newLessor();
    this.store = this.#open();
  }

  /** Installs a snapshot: `backend` holds another member's rows. */
  restore(backend: Backend, whileLoading: () => void = () => {}): void {
    let done = false;
    this.store.restore(backend, (err) => {
      if (err !== null) throw err;
      this.backend = backend;
      this.applied = backend.appliedIndex;
      done = true;
    });
    whileLoading();
    for (let i = 0; !done && i < 100_000; i++) this.loop.run(1);
    this.#resetLeases();
    this.loop.run();
  }

  /** A copy of all rows, as a snapshot carries them. */
  snapshot(loop: Pick<Loop, 'defer'>): MemoryBackend {
    const copy = new MemoryBackend(loop.defer);
    for (let bucket = 1; bucket <= BUCKET_MAX; bucket++) {
      const cursor = this.backend.scan(bucket as Bucket, Buffer.alloc(1), Buffer.alloc(64, 0xff));
      cursor.next(1_000_000, (err, rows) => {
        if (err !== null) throw err;
        for (const [key, value] of rows) copy.put(bucket as Bucket, key, value);
      });
    }
    this.loop.run();
    copy.setApplied(this.applied, 1);
    copy.flush();
    return copy;
  }

  #open(): MvccStore {
    let store: MvccStore | null = null;
    const options: MvccOptions = {
      leases: this.lessor,
      wake: () => this.loop.defer(() => this.#step()),
      ...this.options,
    };
    openMvcc(this.backend, options, (err, opened) => {
      if (err !== null) throw err;
      store = opened;
    });
    for (let i = 0; store === null && i < 100_000; i++) this.loop.run(1);
    if (store === null) throw new Error('the store did not open');
    this.store = store;
    this.#resetLeases();
    return store;
  }

  #newLessor(): Lessor {
    return new Lessor(this.backend, { minTtl: 1 });
  }

  #resetLeases(): void {
    let read = false;
    readLeases(this.backend, (err, rows) => {
      if (err !== null) throw err;
      this.lessor.reset(this.backend, rows, this.store.attachments(), 0);
      read = true;
    });
    for (let i = 0; !read && i < 100_000; i++) this.loop.run(1);
  }

  #step(): void {
    if (this.store.step()) this.loop.defer(() => this.#step());
  }
}
