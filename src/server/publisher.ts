import type { Timers } from '../util/env.js';
import { ClusterMemberAttrSetRequest, InternalKind } from '../wire/index.js';
import type { Completion } from './api.js';
import type { ServerError } from './errors.js';

/** How the publisher proposes. */
export type Propose = (kind: number, body: Buffer, done: Completion<unknown>) => void;

const RETRY_MS = 500;

/**
 * Tells the cluster, through the log, this member's name and client URLs; tries until it is done. A member serves
 * clients from then on (operations spec 1.4).
 */
export class Publisher {
  readonly #timers: Timers;
  readonly #propose: Propose;
  readonly #body: Buffer;
  readonly #published: () => void;
  #stopped = false;

  constructor(
    timers: Timers,
    propose: Propose,
    attributes: { memberId: bigint; name: string; clientUrls: readonly string[] },
    published: () => void,
  ) {
    this.#timers = timers;
    this.#propose = propose;
    this.#body = ClusterMemberAttrSetRequest.encode({
      memberId: attributes.memberId,
      memberAttributes: { name: attributes.name, clientUrls: [...attributes.clientUrls] },
    });
    this.#published = published;
  }

  start(): void {
    if (this.#stopped) return;
    this.#propose(InternalKind.CLUSTER_MEMBER_ATTR_SET, this.#body, this);
  }

  ok(): void {
    if (!this.#stopped) this.#published();
  }

  fail(_err: ServerError): void {
    if (!this.#stopped) this.#timers.set(RETRY_MS, () => this.start());
  }

  stop(): void {
    this.#stopped = true;
  }
}
