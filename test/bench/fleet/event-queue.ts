/** What happens at a moment, to a session or node. */
export interface TimedEvent<Kind> {
  readonly at: number;
  readonly kind: Kind;
  /** The number of the session or node. */
  readonly subject: number;
  /** Events of one moment come in the order in which they were added. */
  readonly order: number;
}

/** Gives events in the order of their time: a binary heap. */
export class EventQueue<Kind> {
  readonly #heap: TimedEvent<Kind>[] = [];
  #added = 0;

  add(at: number, kind: Kind, subject = 0): void {
    const heap = this.#heap;
    const event = { at, kind, subject, order: this.#added++ };
    let hole = heap.length;
    while (hole > 0) {
      const above = (hole - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || isBefore(parent, event)) break;
      heap[hole] = parent;
      hole = above;
    }
    heap[hole] = event;
  }

  /** Takes the earliest event. */
  take(): TimedEvent<Kind> | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) this.#sink(last);
    return first;
  }

  /** Puts an event at its place below the free top. */
  #sink(event: TimedEvent<Kind>): void {
    const heap = this.#heap;
    let hole = 0;
    for (;;) {
      let below = 2 * hole + 1;
      let child = heap[below];
      const other = heap[below + 1];
      if (child !== undefined && other !== undefined && isBefore(other, child)) {
        below += 1;
        child = other;
      }
      if (child === undefined || isBefore(event, child)) break;
      heap[hole] = child;
      hole = below;
    }
    heap[hole] = event;
  }
}

function isBefore<Kind>(a: TimedEvent<Kind>, b: TimedEvent<Kind>): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
