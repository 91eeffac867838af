import type { Random } from '../../support/random.js';

/** A node as the balancer sees it. */
export interface Candidate {
  readonly count: number;
  /** Percentage of free slots that its agent has last said; 0: full. */
  readonly weight: number;
}

/** How a balancer chooses a node for a new session. */
export type PlacementRule = 'leastconn' | 'random' | 'first-fit' | 'round-robin';

export const placementRules: readonly PlacementRule[] = ['leastconn', 'random', 'first-fit', 'round-robin'];

/** Chooses nodes as a balancer with these rules would. */
export class Placement {
  readonly #rule: PlacementRule;
  readonly #random: Random;
  #turn = 0;

  constructor(rule: PlacementRule, random: Random) {
    this.#rule = rule;
    this.#random = random;
  }

  /**
   * Chooses one of the nodes that take newcomers. Like HAProxy, the balancer knows how many sessions it has given to
   * each (`maxconn`), and asks agents now and then: a node whose agent said that it is full gets none until it says
   * something else.
   * @param slots of each node.
   * @returns its index; -1 if none has room.
   */
  choose(nodes: readonly Candidate[], slots: number): number {
    const { length } = nodes;
    if (length === 0) return -1;
    const hasRoom = (node: Candidate | undefined): boolean =>
      node !== undefined && node.weight > 0 && node.count < slots;
    if (this.#rule === 'leastconn') return this.#leastLoaded(nodes, slots);
    const first = this.#rule === 'first-fit' ? 0 : this.#start(length);
    for (let tried = 0; tried < length; tried++) {
      const index = (first + tried) % length;
      if (!hasRoom(nodes[index])) continue;
      if (this.#rule === 'round-robin') this.#turn = index + 1;
      return index;
    }
    return -1;
  }

  /** Returns the node with the fewest sessions for its weight, as HAProxy computes it; of equals, the next in turn. */
  #leastLoaded(nodes: readonly Candidate[], slots: number): number {
    const { length } = nodes;
    let best = -1;
    let least = Infinity;
    const first = this.#turn % length;
    for (let tried = 0; tried < length; tried++) {
      const index = first + tried < length ? first + tried : first + tried - length;
      const node = nodes[index];
      if (node === undefined || node.weight === 0 || node.count >= slots) continue;
      const load = node.count === 0 ? 0 : (node.count + 1) / node.weight;
      if (load < least) [best, least] = [index, load];
      if (load === 0) break;
    }
    if (best >= 0) this.#turn = best + 1;
    return best;
  }

  #start(length: number): number {
    return this.#rule === 'random' ? this.#random.below(length) : this.#turn % length;
  }
}
