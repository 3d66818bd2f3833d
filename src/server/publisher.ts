import type { Timers } from '../util/env.js';
import { ClusterMemberAttrSetRequest, InternalKind } from '../wire/index.js';
import type { Completion } from './api.js';
import type { ServerError } from './errors.js';

/** How the publisher proposes. */
export type Propose = (kind: number, body: Buffer, done: Completion<unknown>) => void;

/**
 * An attempt may be lost with the leader that took it, and would fail only after the whole request time-out. To publish
 * twice does no harm, so the next attempt does not wait for the last one.
 */
const RETRY_MS = 1000;

/**
 * Tells the cluster, through the log, this member's name and client URLs; tries until it is done. A member serves
 * clients from then on (operations spec 1.4).
 */
export class Publisher {
  readonly #timers: Timers;
  readonly #propose: Propose;
  readonly #body: Buffer;
  readonly #published: () => void;
  #done = false;

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
    if (this.#done) return;
    this.#timers.set(RETRY_MS, () => this.start());
    this.#propose(InternalKind.CLUSTER_MEMBER_ATTR_SET, this.#body, this);
  }

  ok(): void {
    if (this.#done) return;
    this.#done = true;
    this.#published();
  }

  /** The next attempt is on its way. */
  fail(_err: ServerError): void {}

  stop(): void {
    this.#done = true;
  }
}
