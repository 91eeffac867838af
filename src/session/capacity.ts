import type { StreamParameters } from '@millrace/protocol';
import type { Engine, InferenceCall } from '../engine/engine.js';
import { frameMs, type Costs } from '../engine/frames-per-second.js';
import { rowsPerSecond } from '../engine/rows-per-second.js';
import { Slowdown } from './slowdown.js';

export interface CapacityOptions {
  /** Frames a second that a session is promised; 0 promises nothing. */
  readonly fps: number;
  /** Most sessions, whatever the engine can do. */
  readonly most: number;
  /** What a session that comes is taken to ask for. */
  readonly parameters: StreamParameters;
  /** What the sessions that are there ask for. */
  readonly present: () => Iterable<StreamParameters>;
}

/**
 * How much this server can carry: the one number that admission, metrics and alerts go by. It comes from the costs that
 * calibration measured, from what the sessions that are there ask for, and from how much longer the engine
 * takes under load.
 */
export class Capacity {
  readonly #engine: Engine;
  readonly #options: CapacityOptions;
  readonly #slowdown = new Slowdown();
  /** As measured last: while the engine is being restarted, it is what it was before. */
  #costs: Costs | null = null;

  constructor(engine: Engine, options: CapacityOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  /**
   * Sessions that can be served at the same time: those that are there, and as many more as there is time for in a
   * second of the engine. At least one.
   */
  get slots(): number {
    const { fps, most, parameters, present } = this.#options;
    const costs = this.#measured();
    if (costs === null || fps === 0) return most;
    const { factor } = this.#slowdown;
    let there = 0;
    let free = 1000 / fps / factor;
    for (const own of present()) {
      there += 1;
      free -= this.#frameMs(costs, own);
    }
    const more = Math.max(0, Math.floor(free / this.#frameMs(costs, parameters)));
    return Math.min(most, Math.max(1, there + more));
  }

  /** Rows of U-Net calls that the engine can do in a second; 0 until it has been calibrated. */
  get rowsPerSecond(): number {
    const costs = this.#measured();
    return costs === null ? 0 : rowsPerSecond(costs) / this.#slowdown.factor;
  }

  /** Takes into account what a call of the engine took. @returns whether that has changed what it can do. */
  observe({ ms, pictureMs, expectedMs }: InferenceCall): boolean {
    return this.#slowdown.observe({ ms: ms + pictureMs, expectedMs });
  }

  #measured(): Costs | null {
    const { state } = this.#engine;
    if (state.name === 'ready') this.#costs = state;
    return this.#costs;
  }

  /** Costs are those of the size that a session has if it does not ask for another; others cost by their area. */
  #frameMs(costs: Costs, parameters: StreamParameters): number {
    const { width, height } = this.#options.parameters;
    const area = (parameters.width * parameters.height) / (width * height);
    return area * frameMs(costs, parameters);
  }
}
