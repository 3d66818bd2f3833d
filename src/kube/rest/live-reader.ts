/** An ObjectReader over the resources: consistent reads of any served kind. */
import type { Kinds, ObjectReader } from '../kinds/kind.js';
import { ApiError } from '../machinery/api-error.js';
import type { KubeObject } from '../machinery/object.js';
import type { Resources } from './resource.js';

export class LiveReader implements ObjectReader {
  readonly #kinds: Kinds;
  readonly #resources: Resources;

  constructor(kinds: Kinds, resources: Resources) {
    this.#kinds = kinds;
    this.#resources = resources;
  }

  async get(group: string, plural: string, namespace: string, name: string): Promise<KubeObject | null> {
    const kind = this.#kinds.findResource(group, plural);
    if (kind === undefined) return null;
    try {
      return await this.#resources.of(kind).get(namespace, name);
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) return null;
      throw error;
    }
  }

  async list(group: string, plural: string, namespace: string): Promise<KubeObject[]> {
    const kind = this.#kinds.findResource(group, plural);
    if (kind === undefined) return [];
    return [...(await this.#resources.of(kind).list({ namespace })).items];
  }
}
