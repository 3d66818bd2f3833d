import { ask } from '../peer/index.js';
import type { Env, TimerHandle } from '../util/env.js';
import { hex, parseHex } from '../util/hex.js';
import { ETCD_VERSION, MIN_CLUSTER_VERSION } from '../util/versions.js';
import type { MemberConfig } from './config.js';
import type { MembersAnswer } from './join.js';

export interface FoundPeer {
  readonly id: bigint;
  readonly urls: string[];
}

/**
 * A member without any state, one that joins or whose damaged folder was set aside, knows nobody, so that it cannot even
 * answer the leader who would catch it up; one with little of it may know some, and not the one who leads. It asks at
 * the URLs of the initial cluster, one after the other, until it has published itself.
 */
export class PeerFinder {
  readonly #env: Env;
  readonly #config: MemberConfig;
  readonly #own: { readonly clusterId: bigint; readonly memberId: bigint };
  readonly #lost: () => boolean;
  readonly #found: (peers: FoundPeer[]) => void;
  readonly #urls: readonly string[];
  #timer: TimerHandle | null = null;
  #next = 0;
  #stopped = false;

  /** @param lost it cannot be said yet that the members are known by what was applied */
  constructor(
    env: Env,
    config: MemberConfig,
    own: { clusterId: bigint; memberId: bigint },
    lost: () => boolean,
    found: (peers: FoundPeer[]) => void,
  ) {
    this.#env = env;
    this.#config = config;
    this.#own = own;
    this.#lost = lost;
    this.#found = found;
    this.#urls = config.initialCluster
      .filter((member) => member.name !== config.name)
      .flatMap((member) => member.peerUrls);
  }

  start(): void {
    if (this.#urls.length > 0 && this.#lost()) this.#later();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) this.#env.timers.clear(this.#timer);
  }

  /** A new cluster's first entries are applied well before that. */
  #later(): void {
    this.#timer = this.#env.timers.set(this.#config.electionMs, () => this.#ask());
  }

  #ask(): void {
    if (this.#stopped || !this.#lost()) return;
    const url = this.#urls[this.#next++ % this.#urls.length] as string;
    const nobody = { ...this.#own, version: ETCD_VERSION, minClusterVersion: MIN_CLUSTER_VERSION };
    const question = { kind: 'members', body: {}, timeoutMs: this.#config.electionMs };
    ask(this.#env, nobody, [url], question, (err, body) => {
      if (this.#stopped || !this.#lost()) return;
      const peers = err === null ? this.#peersOf(body as MembersAnswer) : [];
      if (peers.length > 0) this.#found(peers);
      this.#later();
    });
  }

  #peersOf({ clusterId, members }: MembersAnswer): FoundPeer[] {
    if (clusterId !== hex(this.#own.clusterId)) return [];
    return members.flatMap(({ id, peerUrls }) => {
      const parsed = parseHex(id);
      return parsed === undefined || parsed === this.#own.memberId ? [] : [{ id: parsed, urls: peerUrls }];
    });
  }
}
