import type { ApiClient, Gvr, Informer, Informers, KubeClock, Logger } from './api.js';
import { ListWatchInformer } from './informer.js';

/** Shared between all loops of a process: one list and watch a resource. */
export class SharedInformers implements Informers {
  readonly #client: ApiClient;
  readonly #clock: KubeClock;
  readonly #log: Logger;
  readonly #random: () => number;
  readonly #informers = new Map<string, ListWatchInformer>();
  #stopped = false;

  constructor(client: ApiClient, clock: KubeClock, log: Logger, random: () => number) {
    this.#client = client;
    this.#clock = clock;
    this.#log = log;
    this.#random = random;
  }

  of(gvr: Gvr): Informer {
    const at = `${gvr.group}/${gvr.version}/${gvr.plural}`;
    let informer = this.#informers.get(at);
    if (informer === undefined) {
      const client = this.#client.resource(gvr);
      informer = new ListWatchInformer({ client, clock: this.#clock, log: this.#log, random: this.#random });
      this.#informers.set(at, informer);
      if (!this.#stopped) informer.start();
    }
    return informer;
  }

  async allSynced(): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.whenSynced()));
  }

  stop(): void {
    this.#stopped = true;
    for (const informer of this.#informers.values()) void informer.stop();
  }
}
