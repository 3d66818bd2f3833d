import type { WatchRecord } from '../../../src/sim/checkers/index.js';
import type { Cluster } from '../cluster.js';
import { sleep } from '../member-process.js';
import { RawClient } from '../raw-client.js';

/** One watcher a member over all keys from the beginning; cut, it resumes after the last revision it has seen. */
export class Watchers {
  readonly records: WatchRecord[] = [];
  readonly #clients: RawClient[] = [];
  /** What ends the stream that is open now, by member: a channel that is closed lives on with its streams. */
  readonly #stops = new Map<string, () => void>();
  readonly #seen = new Map<string, number>();
  #stopping = false;

  /** @param base the first revision that is of no interest any more */
  constructor(cluster: Cluster, base = 1) {
    for (const { name, endpoint } of cluster.members) {
      const client = new RawClient(endpoint);
      this.#clients.push(client);
      this.#seen.set(name, base);
      this.#open(name, client, 0);
    }
  }

  #open(name: string, client: RawClient, cuts: number): void {
    const record: WatchRecord = {
      name: `${name} cut ${cuts}`,
      key: '\0',
      rangeEnd: '\0',
      start: this.#seen.get(name)! + 1,
      prev: true,
      noPut: false,
      noDelete: false,
      batches: [],
      complete: 0,
    };
    this.records.push(record);
    const options = { key: '\0', rangeEnd: '\0', startRevision: record.start, prev: true, progressNotify: true };
    const stop = client.watch(options, {
      batch: (revision, events, fragment) => {
        record.batches.push({ revision, events, fragment });
        const last = events.at(-1);
        if (last) this.#seen.set(name, last.kv.mod);
      },
      end: () => {
        if (!this.#stopping) void sleep(100).then(() => this.#stopping || this.#open(name, client, cuts + 1));
      },
    });
    this.#stops.set(name, stop);
  }

  /** Ends them where they stand. */
  close(): void {
    this.#stopping = true;
    for (const stop of this.#stops.values()) stop();
    for (const client of this.#clients) client.close();
  }

  /** Waits until each has seen everything up to `revision`, then ends them. */
  async finish(revision: number, timeoutMs = 15_000): Promise<void> {
    const until = Date.now() + timeoutMs;
    while (Date.now() < until && [...this.#seen.values()].some((seen) => seen < revision)) await sleep(50);
    this.close();
    const behind = [...this.#seen].filter(([, seen]) => seen < revision);
    if (behind.length > 0) throw new Error(`watchers stand at ${JSON.stringify(behind)}, the store at ${revision}`);
    for (const name of this.#seen.keys()) {
      const last = this.records.findLast((record) => record.name.startsWith(`${name} `));
      if (last) last.complete = revision;
    }
  }
}
