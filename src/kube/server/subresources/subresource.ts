/** What is below an object and not the object itself: one handler each, in a file of its own. */
import type { Kind } from '../../kinds/kind.js';
import type { Exchange } from '../exchange.js';

/** Answers the request, or throws an ApiError. The object's kind declares the subresource; the verb is not checked yet. */
export type SubresourceHandler = (exchange: Exchange, kind: Kind) => Promise<void>;

export class Subresources {
  readonly #handlers = new Map<string, SubresourceHandler>();

  /** @param of a group, a slash and a plural: `/pods`, `apps/deployments`; or `*` for every kind that declares it */
  add(of: string, name: string, handler: SubresourceHandler): this {
    this.#handlers.set(`${of} ${name}`, handler);
    return this;
  }

  find(kind: Kind, name: string): SubresourceHandler | undefined {
    return this.#handlers.get(`${kind.group}/${kind.plural} ${name}`) ?? this.#handlers.get(`* ${name}`);
  }
}
