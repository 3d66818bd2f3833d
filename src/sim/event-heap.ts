/** Something that happens at a moment of virtual time. */
export interface SimEvent {
  /** µs since the start */
  readonly at: number;
  /** Orders events of one moment; drawn where the seed wants surprise, else equal. */
  readonly tie: number;
  /** Ascending: what is left equal by `at` and `tie` happens in the order it was asked for. */
  readonly seq: number;
  /** Whose event it is: a process that may be paused or over by then. */
  readonly life: { happen(event: SimEvent): void } | null;
  fn: (() => void) | null;
}

/** A 4-ary heap of events: the next one to happen is at the top. */
export class EventHeap {
  readonly #events: SimEvent[] = [];

  get size(): number {
    return this.#events.length;
  }

  count(which: (event: SimEvent) => boolean): number {
    return this.#events.filter(which).length;
  }

  peek(): SimEvent | undefined {
    return this.#events[0];
  }

  push(event: SimEvent): void {
    const events = this.#events;
    let i = events.length;
    events.push(event);
    while (i > 0) {
      const parent = (i - 1) >> 2;
      const above = events[parent] as SimEvent;
      if (!before(event, above)) break;
      events[i] = above;
      i = parent;
    }
    events[i] = event;
  }

  pop(): SimEvent | undefined {
    const events = this.#events;
    const top = events[0];
    const last = events.pop();
    if (top === undefined || last === undefined || events.length === 0) return top;
    let i = 0;
    for (;;) {
      const first = 4 * i + 1;
      if (first >= events.length) break;
      let least = first;
      const end = Math.min(first + 4, events.length);
      for (let child = first + 1; child < end; child++) {
        if (before(events[child] as SimEvent, events[least] as SimEvent)) least = child;
      }
      if (!before(events[least] as SimEvent, last)) break;
      events[i] = events[least] as SimEvent;
      i = least;
    }
    events[i] = last;
    return top;
  }
}

function before(a: SimEvent, b: SimEvent): boolean {
  if (a.at !== b.at) return a.at < b.at;
  if (a.tie !== b.tie) return a.tie < b.tie;
  return a.seq < b.seq;
}
