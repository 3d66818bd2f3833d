/** The kinds that are served now, found by resource or by kind. Custom resources are added and removed as it runs. */
import { assert } from '../../util/assert.js';
import type { Kind, Kinds } from './kind.js';

function key(group: string, version: string, name: string): string {
  return `${group}/${version}/${name}`;
}

export class KindRegistry implements Kinds {
  readonly #builtin: readonly Kind[];
  /** By group, version and plural. */
  readonly #custom = new Map<string, Kind>();
  #all: readonly Kind[] = [];
  readonly #byResource = new Map<string, Kind>();
  readonly #byKind = new Map<string, Kind>();
  /** By group and plural: the first in discovery's order is the preferred one. */
  readonly #preferred = new Map<string, Kind>();
  #generation = 0;

  /** @param builtin in discovery's order; of several versions of a resource the preferred one first */
  constructor(builtin: readonly Kind[]) {
    this.#builtin = builtin;
    this.#index();
  }

  get generation(): number {
    return this.#generation;
  }

  all(): readonly Kind[] {
    return this.#all;
  }

  find(group: string, version: string, plural: string): Kind | undefined {
    return this.#byResource.get(key(group, version, plural));
  }

  findResource(group: string, plural: string): Kind | undefined {
    return this.#preferred.get(key(group, '', plural));
  }

  findKind(group: string, version: string, kind: string): Kind | undefined {
    return this.#byKind.get(key(group, version, kind));
  }

  /**
   * Serves kinds, in the place of those of the same group, version and plural. Versions of one resource are given in
   * order of preference. Built-in kinds cannot be replaced.
   */
  add(...kinds: readonly Kind[]): void {
    for (const kind of kinds) {
      const name = key(kind.group, kind.version, kind.plural);
      assert(!this.#builtin.includes(this.#byResource.get(name) as Kind), () => `${name} is built in`);
      this.#custom.set(name, kind);
    }
    this.#index();
  }

  /** @param version absent: all versions. @returns whether there was any */
  remove(group: string, plural: string, version?: string): boolean {
    const gone = [...this.#custom].filter(
      ([, kind]) => kind.group === group && kind.plural === plural && (version ?? kind.version) === kind.version,
    );
    for (const [name] of gone) this.#custom.delete(name);
    if (gone.length > 0) this.#index();
    return gone.length > 0;
  }

  #index(): void {
    const custom = [...this.#custom.values()];
    // Groups of custom resources by name; within a group the order in which they came.
    custom.sort((a, b) => (a.group < b.group ? -1 : a.group > b.group ? 1 : 0));
    this.#all = [...this.#builtin, ...custom];
    for (const map of [this.#byResource, this.#byKind, this.#preferred]) map.clear();
    for (const kind of this.#all) {
      this.#byResource.set(key(kind.group, kind.version, kind.plural), kind);
      const named = key(kind.group, kind.version, kind.kind);
      if (!this.#byKind.has(named)) this.#byKind.set(named, kind);
      const resource = key(kind.group, '', kind.plural);
      if (!this.#preferred.has(resource)) this.#preferred.set(resource, kind);
    }
    this.#generation++;
  }
}
