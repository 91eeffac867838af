/** Where a session is that has no node. */
export const nowhere = -1;

/** Sessions by number: their node, their place in its list, and since when they wait. */
export class SimulatedSessions {
  readonly node: Int32Array;
  readonly place: Int32Array;
  readonly waitingSince: Float64Array;
  readonly state: ('coming' | 'waiting' | 'served' | 'cut' | 'done')[];

  constructor(count: number) {
    this.node = new Int32Array(count).fill(nowhere);
    this.place = new Int32Array(count);
    this.waitingSince = new Float64Array(count);
    this.state = Array.from({ length: count }, () => 'coming');
  }
}

/** Those who wait for a slot, by number, in the order in which they came. */
export class WaitingLine {
  #numbers: number[] = [];
  #head = 0;

  add(number: number): void {
    this.#numbers.push(number);
  }

  /** Lets them go in their order. @param go returns whether one need not wait any longer. */
  advance(go: (number: number) => boolean): void {
    for (;;) {
      const number = this.#numbers[this.#head];
      if (number === undefined || !go(number)) break;
      this.#head += 1;
    }
    if (this.#head < 10_000) return;
    this.#numbers = this.#numbers.slice(this.#head);
    this.#head = 0;
  }
}
