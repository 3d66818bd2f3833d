/** A queue of events in virtual microseconds, for tests of one component. Ties run in the order they were scheduled. */
export class VirtualTime {
  nowUs = 0;
  #events: { at: number; order: number; fn: () => void }[] = [];
  #order = 0;

  readonly schedule = (delayUs: number, fn: () => void): void => {
    this.#events.push({ at: this.nowUs + delayUs, order: this.#order++, fn });
  };

  get pending(): number {
    return this.#events.length;
  }

  /** Runs the next event. @returns false if there was none */
  step(): boolean {
    if (this.#events.length === 0) return false;
    let first = 0;
    for (let i = 1; i < this.#events.length; i++) {
      const a = this.#events[i]!;
      const b = this.#events[first]!;
      if (a.at < b.at || (a.at === b.at && a.order < b.order)) first = i;
    }
    const event = this.#events.splice(first, 1)[0]!;
    this.nowUs = Math.max(this.nowUs, event.at);
    event.fn();
    return true;
  }

  /** Runs everything, or as many events as given. */
  run(events = Number.POSITIVE_INFINITY): void {
    for (let i = 0; i < events && this.step(); i++);
  }
}
