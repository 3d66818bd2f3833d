/** What the compactor needs of the member. */
export interface CompactorView {
  readonly isLeader: boolean;
  readonly revision: number;
  compactTo(revision: number): void;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const REVISION_CHECK_MS = 5 * MINUTE_MS;

interface Sample {
  readonly at: number;
  readonly revision: number;
}

/**
 * Compacts the history by time or by count (operations spec 4, "periodic compaction"). Only the leader acts, but every
 * member samples, so that a new leader goes on where the old one was. Driven by `tick` with monotonic ms.
 */
export class AutoCompactor {
  readonly #mode: 'periodic' | 'revision';
  /** ms, or a number of revisions; 0 is off */
  readonly #retention: number;
  readonly #view: CompactorView;
  #samples: Sample[] = [];
  #nextSample = 0;
  #nextRun: number;
  #last = 0;

  constructor(mode: 'periodic' | 'revision', retention: number, now: number, view: CompactorView) {
    this.#mode = mode;
    this.#retention = retention;
    this.#view = view;
    this.#nextSample = now;
    this.#nextRun = now + (mode === 'periodic' ? retention : REVISION_CHECK_MS);
  }

  tick(now: number): void {
    if (this.#retention <= 0) return;
    if (this.#mode === 'revision') this.#byRevision(now);
    else this.#byTime(now);
  }

  #byRevision(now: number): void {
    if (now < this.#nextRun) return;
    this.#nextRun = now + REVISION_CHECK_MS;
    this.#compact(this.#view.revision - this.#retention);
  }

  #byTime(now: number): void {
    const interval = Math.min(this.#retention / 10, 6 * MINUTE_MS);
    if (now >= this.#nextSample) {
      this.#nextSample = now + interval;
      this.#samples.push({ at: now, revision: this.#view.revision });
    }
    if (now < this.#nextRun) return;
    this.#nextRun = now + Math.min(this.#retention, HOUR_MS);
    let target = 0;
    while (this.#samples.length > 0 && (this.#samples[0] as Sample).at <= now - this.#retention) {
      target = (this.#samples.shift() as Sample).revision;
    }
    this.#compact(target);
  }

  #compact(revision: number): void {
    if (revision <= 0 || revision <= this.#last || !this.#view.isLeader) return;
    this.#last = revision;
    this.#view.compactTo(revision);
  }
}
