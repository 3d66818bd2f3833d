import { createHash } from 'node:crypto';
import type { KubeObject } from '../machinery/object.js';
import type { ApiClient, EventRecorder, KubeClock, Logger } from './api.js';
import { isNamespaceTerminating, isNotFound } from './api-status-error.js';
import { EVENTS } from './resources.js';

/** Events of one kind (same object, type and reason, other messages) beyond which they are told as one, in the span. */
const SIMILAR_MAX = 10;
const SIMILAR_SPAN_MS = 10 * 60_000;
/** Of one object from one source: so many at once, then one in the span. */
const SPAM_BURST = 25;
const SPAM_REFILL_MS = 5 * 60_000;
/** Remembered events; the oldest are forgotten. */
const REMEMBERED_MAX = 4096;
/** Waiting to be sent; beyond this events are dropped. */
const QUEUE_MAX = 1000;

interface Told {
  readonly name: string;
  readonly namespace: string;
  readonly first: string;
  count: number;
}

export interface RecorderOptions {
  readonly client: ApiClient;
  readonly clock: KubeClock;
  readonly log: Logger;
  /** `deployment-controller` */
  readonly component: string;
  /** The machine, of a node's events. */
  readonly host?: string;
}

/** Writes Events (kubernetes controller machinery): the same one again counts up, floods are folded, then dropped. */
export class ApiEventRecorder implements EventRecorder {
  readonly #options: RecorderOptions;
  readonly #told = new Map<string, Told>();
  readonly #similar = new Map<string, { messages: Set<string>; since: number }>();
  readonly #spam = new Map<string, { tokens: number; at: number }>();
  #queue: (() => Promise<void>)[] = [];
  #sending = false;
  #sequence = 0;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  event(related: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const now = this.#options.clock.now();
    const { uid = '', name = '', namespace = '' } = related.metadata;
    if (!this.#allowed(`${uid}/${name}`, now)) return;
    const group = [related.kind, namespace, name, uid, type, reason].join('|');
    const text = this.#folded(group, message, now);
    const key = `${group}|${text}`;
    if (this.#queue.length >= QUEUE_MAX) return;
    this.#queue.push(() => this.#send(key, related, type, reason, text, now));
    void this.#drain();
  }

  /** Resolves when everything has been sent that was told. */
  async flush(): Promise<void> {
    while (this.#sending || this.#queue.length > 0) await new Promise((resolve) => setImmediate(resolve));
  }

  #allowed(object: string, now: number): boolean {
    const bucket = this.#spam.get(object) ?? { tokens: SPAM_BURST, at: now };
    bucket.tokens = Math.min(SPAM_BURST, bucket.tokens + (now - bucket.at) / SPAM_REFILL_MS);
    bucket.at = now;
    remember(this.#spam, object, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  #folded(group: string, message: string, now: number): string {
    let similar = this.#similar.get(group);
    if (similar === undefined || now - similar.since > SIMILAR_SPAN_MS) similar = { messages: new Set(), since: now };
    similar.messages.add(message);
    remember(this.#similar, group, similar);
    return similar.messages.size > SIMILAR_MAX ? `(combined from similar events): ${message}` : message;
  }

  async #drain(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      try {
        await next();
      } catch (err) {
        if (!isNamespaceTerminating(err))
          this.#options.log.warn('an event was lost', { error: (err as Error).message });
      }
    }
    this.#sending = false;
  }

  async #send(key: string, related: KubeObject, type: string, reason: string, message: string, now: number) {
    const events = this.#options.client.resource(EVENTS);
    // A combined message changes with each event, and counts as one.
    const told = this.#told.get(key);
    const time = new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
    if (told !== undefined) {
      told.count++;
      try {
        await events.patch(told.namespace, told.name, 'strategic', { count: told.count, lastTimestamp: time, message });
        return;
      } catch (err) {
        // It has expired: told anew.
        if (!isNotFound(err)) throw err;
      }
    }
    const { component, host } = this.#options;
    const { namespace, name = '', uid, resourceVersion } = related.metadata;
    const where = namespace ?? 'default';
    const unique = createHash('sha256')
      .update(`${key}|${now}|${this.#sequence++}|${component}`)
      .digest('hex')
      .slice(0, 16);
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${unique}`, namespace: where },
      involvedObject: {
        apiVersion: related.apiVersion,
        kind: related.kind,
        ...(namespace === undefined ? {} : { namespace }),
        name,
        ...(uid === undefined ? {} : { uid }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
      type,
      reason,
      message,
      source: { component, ...(host === undefined ? {} : { host }) },
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
      reportingComponent: component,
      reportingInstance: host ?? '',
    };
    const made = await events.create(where, event);
    remember(this.#told, key, { name: made.metadata.name ?? '', namespace: where, first: time, count: 1 });
  }
}

/** As the newest; the oldest goes when there are too many. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > REMEMBERED_MAX) map.delete(map.keys().next().value as string);
}
