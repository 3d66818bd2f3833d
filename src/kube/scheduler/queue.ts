/**
 * Pods that wait for a node.
 *
 *   ready --taken--> tried --placed--> gone
 *     ^                `--no place--> parked --something that matters, or 5 min--> backing off, or ready if that is over
 *     `------------- its time has come -----------------------------------------------'
 */
import type { KubeClock } from '../kit/api.js';
import type { Happening } from './plugin.js';
import type { PodInfo } from './pod-info.js';

const BACKOFF_MIN_MS = 1000;
const BACKOFF_MAX_MS = 10_000;
/** Nobody waits longer than this without another try, whatever was missed. */
const PARKED_MAX_MS = 5 * 60_000;

interface Waiting {
  pod: PodInfo;
  /** Since when it waits: of two of a priority the older goes first. */
  readonly since: number;
  attempts: number;
  triedAt: number;
  state: 'ready' | 'backing-off' | 'parked' | 'tried';
  wakesOn: ReadonlySet<Happening>;
  timer: unknown;
  /** What happened while it was tried: it may have been decided without. */
  missed: boolean;
}

export class SchedulingQueue {
  readonly #clock: KubeClock;
  readonly #onReady: () => void;
  readonly #all = new Map<string, Waiting>();
  /** A heap: priority, then age. */
  readonly #ready: Waiting[] = [];

  constructor(clock: KubeClock, onReady: () => void) {
    this.#clock = clock;
    this.#onReady = onReady;
  }

  get size(): number {
    return this.#all.size;
  }

  has(uid: string): boolean {
    return this.#all.has(uid);
  }

  /** How many stand where. */
  counts(): { active: number; backoff: number; unschedulable: number } {
    const counts = { active: 0, backoff: 0, unschedulable: 0 };
    for (const { state } of this.#all.values()) {
      if (state === 'parked') counts.unschedulable++;
      else if (state === 'backing-off') counts.backoff++;
      else counts.active++;
    }
    return counts;
  }

  /** A pod that is new, or has changed. @param matters the change may give it a place */
  put(pod: PodInfo, matters = true): void {
    const known = this.#all.get(pod.uid);
    if (known === undefined) {
      const since = Date.parse(pod.pod.metadata.creationTimestamp ?? '') || this.#clock.now();
      const waiting: Waiting = {
        pod,
        since,
        attempts: 0,
        triedAt: 0,
        state: 'ready',
        wakesOn: new Set(),
        timer: null,
        missed: false,
      };
      this.#all.set(pod.uid, waiting);
      this.#makeReady(waiting);
      return;
    }
    known.pod = pod;
    if (!matters) return;
    if (known.state === 'tried') known.missed = true;
    else if (known.state === 'parked') this.#wake(known);
  }

  remove(uid: string): void {
    const known = this.#all.get(uid);
    if (known === undefined) return;
    this.#all.delete(uid);
    this.#clock.clearTimeout(known.timer);
    if (known.state !== 'ready') return;
    const at = this.#ready.indexOf(known);
    const last = this.#ready.pop();
    if (last !== undefined && last !== known) {
      this.#ready[at] = last;
      this.#up(this.#down(at));
    }
  }

  /** The next to be tried; undefined: none is ready. */
  take(): PodInfo | undefined {
    const first = this.#ready[0];
    if (first === undefined) return undefined;
    const last = this.#ready.pop() as Waiting;
    if (last !== first) {
      this.#ready[0] = last;
      this.#down(0);
    }
    first.state = 'tried';
    first.attempts++;
    first.triedAt = this.#clock.now();
    first.missed = false;
    return first.pod;
  }

  /** It found no place. @param wakesOn what may change that */
  park(uid: string, wakesOn: ReadonlySet<Happening>): void {
    const known = this.#all.get(uid);
    if (known === undefined || known.state !== 'tried') return;
    known.wakesOn = wakesOn;
    known.state = 'parked';
    if (known.missed) return this.#wake(known);
    known.timer = this.#clock.setTimeout(() => this.#wake(known), PARKED_MAX_MS);
  }

  /** Something went wrong that is not the cluster's fault: again after its back-off. */
  retry(uid: string): void {
    const known = this.#all.get(uid);
    if (known === undefined || known.state !== 'tried') return;
    known.state = 'parked';
    this.#wake(known);
  }

  happened(what: Happening): void {
    for (const waiting of this.#all.values()) {
      if (waiting.state === 'parked' && waiting.wakesOn.has(what)) this.#wake(waiting);
      else if (waiting.state === 'tried') waiting.missed = true;
    }
  }

  stop(): void {
    for (const { timer } of this.#all.values()) this.#clock.clearTimeout(timer);
    this.#all.clear();
    this.#ready.length = 0;
  }

  #wake(waiting: Waiting): void {
    this.#clock.clearTimeout(waiting.timer);
    const backoff = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.max(0, waiting.attempts - 1));
    const left = waiting.triedAt + backoff - this.#clock.now();
    if (left <= 0) return this.#makeReady(waiting);
    waiting.state = 'backing-off';
    waiting.timer = this.#clock.setTimeout(() => this.#makeReady(waiting), left);
  }

  #makeReady(waiting: Waiting): void {
    waiting.state = 'ready';
    this.#ready.push(waiting);
    this.#up(this.#ready.length - 1);
    this.#onReady();
  }

  #up(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!goesFirst(this.#ready[at] as Waiting, this.#ready[parent] as Waiting)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #down(from: number): number {
    let at = from;
    for (;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        const one = this.#ready[child];
        if (one !== undefined && goesFirst(one, this.#ready[least] as Waiting)) least = child;
      }
      if (least === at) return at;
      this.#swap(at, least);
      at = least;
    }
  }

  #swap(a: number, b: number): void {
    const kept = this.#ready[a] as Waiting;
    this.#ready[a] = this.#ready[b] as Waiting;
    this.#ready[b] = kept;
  }
}

function goesFirst(a: Waiting, b: Waiting): boolean {
  return a.pod.priority === b.pod.priority ? a.since < b.since : a.pod.priority > b.pod.priority;
}
