import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import type { ObjectStore } from '../../../src/kube/registry/index.js';
import { checkAsync } from '../../support/fc.js';
import type { TestStore } from '../support/store.js';
import { map, Seen, startStore, TestRegistry } from '../support/store.js';

const NAMES = ['a', 'b', 'c', 'd'];
const COLOURS = ['red', 'blue'];

type Step =
  | { do: 'put'; name: string; colour: string }
  | { do: 'delete'; name: string }
  /** @param back so many changes ago; 0 is now */
  | { do: 'watch'; back: number; colour: string | null; fresh: boolean; slow: number }
  | { do: 'resume'; which: number }
  | { do: 'compact' }
  /** Another API server on the same store takes over. */
  | { do: 'restart' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      name: fc.constantFrom(...NAMES),
      colour: fc.constantFrom(...COLOURS),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), name: fc.constantFrom(...NAMES) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('watch' as const),
      back: fc.nat(8),
      colour: fc.constantFrom(null, ...COLOURS),
      fresh: fc.boolean(),
      slow: fc.nat(3),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('resume' as const), which: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.constantFrom({ do: 'compact' as const }, { do: 'restart' as const }) },
);

/** One change as the store made it; object null for a deletion. */
interface Change {
  readonly revision: number;
  readonly name: string;
  readonly object: KubeObject | null;
}

/** What a watch must tell, by the definition: no cache, no ring, no positions. */
function expected(
  history: readonly Change[],
  after: number,
  stateFirst: boolean,
  wanted: (o: KubeObject) => boolean,
): string[] {
  const state = new Map<string, KubeObject>();
  const lines: string[] = [];
  const line = (type: string, object: KubeObject, revision: number) =>
    `${type} ${object.metadata.name} ${object.metadata.labels?.colour} ${object.data.n} ${revision}`;
  let begun = false;
  const begin = () => {
    begun = true;
    if (!stateFirst) return;
    for (const name of [...state.keys()].sort()) {
      const object = state.get(name)!;
      if (wanted(object)) lines.push(line('ADDED', object, Number(object.metadata.resourceVersion)));
    }
  };
  for (const { revision, name, object } of history) {
    if (revision > after && !begun) begin();
    const before = state.get(name);
    if (object === null) state.delete(name);
    else state.set(name, object);
    if (!begun) continue;
    const did = before !== undefined && wanted(before);
    const does = object !== null && wanted(object);
    if (does) lines.push(line(did ? 'MODIFIED' : 'ADDED', object, revision));
    else if (did) lines.push(line('DELETED', before, revision));
  }
  if (!begun) begin();
  return lines;
}

class Run {
  readonly history: Change[] = [];
  readonly watches: { seen: Seen; after: number; stateFirst: boolean; wanted: (o: KubeObject) => boolean }[] = [];
  store: ObjectStore;
  readonly t: TestRegistry;
  readonly #endpoint: string;
  readonly #servers: TestRegistry[];
  #count = 0;
  #objects = new Map<string, KubeObject>();

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
    this.t = new TestRegistry(endpoint, { bookmarkIntervalMs: 0 });
    this.#servers = [this.t];
    this.store = this.t.maps();
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) await server.stop();
  }

  get revision(): number {
    return this.history.at(-1)?.revision ?? 0;
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'put':
        return this.#put(step.name, step.colour);
      case 'delete':
        return this.#delete(step.name);
      case 'watch':
        return this.#watch(step);
      case 'resume': {
        const watch = this.watches[step.which];
        watch?.seen.watch.resume();
        return;
      }
      case 'restart': {
        const next = new TestRegistry(this.#endpoint, { prefix: this.t.prefix, bookmarkIntervalMs: 0 });
        this.#servers.push(next);
        this.store = next.maps();
        return;
      }
      case 'compact':
        if (this.revision > 0) await this.t.client.compact(this.revision).catch(() => undefined);
    }
  }

  async #put(name: string, colour: string): Promise<void> {
    const data = { n: String(this.#count++) };
    const old = this.#objects.get(name);
    const object =
      old === undefined
        ? await this.store.create('d', name, map(name, data, { colour }))
        : await this.store.update('d', name, (o) => ({
            object: { ...o!, metadata: { ...o!.metadata, labels: { colour } }, data },
          }));
    this.#objects.set(name, object);
    this.history.push({ revision: Number(object.metadata.resourceVersion), name, object });
  }

  async #delete(name: string): Promise<void> {
    if (!this.#objects.delete(name)) return;
    const gone = await this.store.update('d', name, () => ({ remove: true }));
    this.history.push({ revision: Number(gone.metadata.resourceVersion), name, object: null });
  }

  async #watch(step: Step & { do: 'watch' }): Promise<void> {
    const { colour, fresh, back, slow } = step;
    const at = this.history[Math.max(0, this.history.length - 1 - back)]?.revision;
    if (!fresh && at === undefined) return;
    const wanted = (o: KubeObject) => colour === null || o.metadata.labels?.colour === colour;
    const resourceVersion = fresh ? {} : { resourceVersion: String(at) };
    const after = fresh ? this.revision : at!;
    try {
      const seen = await Seen.start(this.store, { filter: wanted, ...resourceVersion });
      let turn = 0;
      seen.takes = () => slow === 0 || turn++ % (slow + 1) !== 0;
      this.watches.push({ seen, after, stateFirst: fresh, wanted });
    } catch (err) {
      // A cache that starts where history is dropped cannot know it.
      if ((err as { code?: number }).code !== 410) throw err;
    }
  }

  /** Lets all of them read to the end, and compares. */
  async finish(): Promise<void> {
    for (const { seen, after, stateFirst, wanted } of this.watches) {
      const lines = expected(this.history, after, stateFirst, wanted);
      seen.takes = () => true;
      seen.watch.resume();
      await Promise.race([seen.count(lines.length), sleep(5000)]);
      expect(
        seen.events.map(({ type, object: o, resourceVersion }) => {
          expect(o.metadata.resourceVersion).toBe(resourceVersion);
          return `${type} ${o.metadata.name} ${o.metadata.labels?.colour} ${o.data.n} ${resourceVersion}`;
        }),
      ).toEqual(lines);
      expect(seen.ended).toBeUndefined();
    }
    const { items } = await this.store.list({ namespace: 'd', resourceVersion: String(Math.max(1, this.revision)) });
    expect(items.map((o) => o.metadata.name)).toEqual([...this.#objects.keys()].sort());
  }
}

describe('watches of a folder', () => {
  let backend: TestStore;
  beforeAll(async () => {
    backend = await startStore('keel');
  });
  afterAll(async () => {
    await backend?.stop();
  });

  it('tell what the history says, wherever they start and however slow they are', async () => {
    const property = fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      const run = new Run(backend.endpoint);
      try {
        for (const s of steps) await run.take(s);
        await run.finish();
      } finally {
        await run.stop();
      }
    });
    await checkAsync(property, { runs: 10 });
  }, 300_000);
});
