/** Statuses of pods on their way to the API: the newest of each, one at a time, nothing twice. */
import type { ApiClient, KubeClock, Logger } from '../kit/index.js';
import { ApiStatusError, isNotFound, PODS } from '../kit/index.js';
import type { JsonObject, KubeObject } from '../machinery/object.js';

const RETRY_MS = 1000;

interface Entry {
  pod: KubeObject;
  wanted: string;
  sent: string;
  sending: Promise<void> | null;
}

export class StatusWriter {
  readonly #client: ApiClient;
  readonly #clock: KubeClock;
  readonly #log: Logger;
  readonly #entries = new Map<string, Entry>();
  #stopped = false;

  constructor(client: ApiClient, clock: KubeClock, log: Logger) {
    this.#client = client;
    this.#clock = clock;
    this.#log = log;
  }

  /** @param pod as last seen, with the status that the API has */
  set(pod: KubeObject, status: JsonObject): void {
    if (this.#stopped) return;
    const uid = pod.metadata.uid ?? '';
    let entry = this.#entries.get(uid);
    if (entry === undefined) this.#entries.set(uid, (entry = { pod, wanted: '', sent: '', sending: null }));
    entry.pod = pod;
    entry.wanted = JSON.stringify(status);
    if (entry.sending === null && entry.wanted !== entry.sent) entry.sending = this.#send(uid, entry);
  }

  forget(uid: string): void {
    this.#entries.delete(uid);
  }

  /** Resolves when what was set has been sent, or cannot be. */
  async flush(uid: string): Promise<void> {
    await this.#entries.get(uid)?.sending;
  }

  stop(): void {
    this.#stopped = true;
    this.#entries.clear();
  }

  async #send(uid: string, entry: Entry): Promise<void> {
    // What is found out in the same turn goes with it.
    await new Promise<void>((resolve) => setImmediate(resolve));
    const { name = '', namespace = '' } = entry.pod.metadata;
    while (entry.wanted !== entry.sent && this.#entries.get(uid) === entry) {
      const text = entry.wanted;
      try {
        const body = { metadata: { uid }, status: JSON.parse(text) as JsonObject };
        await this.#client.resource(PODS).patch(namespace, name, 'strategic', body, { subresource: 'status' });
        entry.sent = text;
      } catch (err) {
        // Gone, or another of its name: there is nobody to be told.
        const other = err instanceof ApiStatusError && (err.code === 409 || err.code === 422);
        if (isNotFound(err) || (other && err.message.includes('uid'))) {
          entry.sent = text;
          break;
        }
        if (this.#stopped) break;
        this.#log.warn('a status was not taken', { pod: `${namespace}/${name}`, error: (err as Error).message });
        await new Promise<void>((resolve) => this.#clock.setTimeout(resolve, RETRY_MS));
      }
    }
    entry.sending = null;
  }
}
