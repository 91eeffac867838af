import { percentile } from '../../../src/cli/percentile.js';
import type { SimulatedNode } from './nodes.js';
import type { Scenario } from './scenario.js';

/** What became of a fleet and its sessions. */
export interface FleetResult {
  readonly started: number;
  readonly ended: number;
  readonly gaveUp: number;
  /** Seconds that newcomers waited for a slot. */
  readonly meanWait: number;
  readonly waitP95: number;
  /** Mean numbers over the whole time. */
  readonly meanServed: number;
  readonly meanWaiting: number;
  readonly meanNodes: number;
  readonly mostNodes: number;
  readonly utilisation: number;
  /** Sessions that went on at another node, and the longest time that one of them had none, in seconds. */
  readonly moves: number;
  readonly longestCut: number;
  /** Mean difference between the node with most sessions and the one with fewest. */
  readonly unevenness: number;
  readonly seconds: number;
  readonly sessionHours: number;
  readonly nodeHours: { readonly usual: number; readonly spot: number };
}

/** Counts and sums what happens in a fleet. */
export class Tally {
  readonly #slots: number;
  readonly #waits: Float64Array;
  #started = 0;
  #ended = 0;
  #gaveUp = 0;
  #moves = 0;
  #longestCut = 0;
  #now = 0;
  #served = 0;
  #newcomers = 0;
  #nodes = 0;
  #mostNodes = 0;
  #freeSlots = 0;
  #servedSeconds = 0;
  #waitingSeconds = 0;
  #nodeSeconds = 0;
  #usualSeconds = 0;
  #spotSeconds = 0;
  #spreads = 0;
  #spreadSum = 0;

  constructor({ slots, sessions }: Scenario) {
    this.#slots = slots;
    this.#waits = new Float64Array(sessions);
  }

  /** Free slots of nodes that take newcomers. */
  get freeSlots(): number {
    return this.#freeSlots;
  }

  /** Those served, and newcomers who wait. */
  get present(): { readonly sessions: number; readonly newcomers: number } {
    return { sessions: this.#served, newcomers: this.#newcomers };
  }

  /** Adds the time since the last event. */
  advance(now: number): void {
    const seconds = now - this.#now;
    this.#now = now;
    this.#servedSeconds += this.#served * seconds;
    this.#waitingSeconds += this.#newcomers * seconds;
    this.#nodeSeconds += this.#nodes * seconds;
  }

  waiting(count: number): void {
    this.#newcomers += count;
  }

  started(waitedSeconds: number): void {
    this.#waits[this.#started++] = waitedSeconds;
    this.#newcomers -= 1;
  }

  /** @param cutSeconds without a node. */
  moved(cutSeconds: number): void {
    this.#moves += 1;
    this.#longestCut = Math.max(this.#longestCut, cutSeconds);
  }

  ended(): void {
    this.#ended += 1;
  }

  gaveUp(): void {
    this.#gaveUp += 1;
    this.#newcomers -= 1;
  }

  /** @param takesNewcomers whether the node does. */
  served(change: number, takesNewcomers: boolean): void {
    this.#served += change;
    if (takesNewcomers) this.#freeSlots -= change;
  }

  /** @param change of the nodes that take newcomers. @param count sessions of the node. */
  ready(change: number, count: number): void {
    this.#nodes += change;
    this.#mostNodes = Math.max(this.#mostNodes, this.#nodes);
    this.#freeSlots += change * (this.#slots - count);
  }

  paid(seconds: number, isSpot: boolean): void {
    if (isSpot) this.#spotSeconds += seconds;
    else this.#usualSeconds += seconds;
  }

  /** Takes note of how even the nodes are. */
  spread(nodes: readonly SimulatedNode[]): void {
    if (nodes.length === 0) return;
    let most = 0;
    let least = Infinity;
    for (const { count } of nodes) {
      most = Math.max(most, count);
      least = Math.min(least, count);
    }
    this.#spreads += 1;
    this.#spreadSum += most - least;
  }

  result(): FleetResult {
    const waits = this.#waits.subarray(0, this.#started).toSorted();
    return {
      started: this.#started,
      ended: this.#ended,
      gaveUp: this.#gaveUp,
      meanWait: waits.reduce((sum, wait) => sum + wait, 0) / Math.max(1, waits.length),
      waitP95: percentile([...waits], 0.95),
      meanServed: this.#servedSeconds / this.#now,
      meanWaiting: this.#waitingSeconds / this.#now,
      meanNodes: this.#nodeSeconds / this.#now,
      mostNodes: this.#mostNodes,
      utilisation: this.#servedSeconds / (this.#nodeSeconds * this.#slots),
      moves: this.#moves,
      longestCut: this.#longestCut,
      unevenness: this.#spreadSum / Math.max(1, this.#spreads),
      seconds: this.#now,
      sessionHours: this.#servedSeconds / 3600,
      nodeHours: { usual: this.#usualSeconds / 3600, spot: this.#spotSeconds / 3600 },
    };
  }
}
