import { interpolate, type BlendMethod } from './blend.js';

/** Length of the transition to a new prompt: the longer of both counts; if both are 0, it is immediate. */
export interface TransitionLength {
  readonly frames: number;
  readonly seconds: number;
}

/** A transition of an embedding: its method, length and start. */
export interface Way {
  readonly method: BlendMethod;
  readonly length: TransitionLength;
  /** Frame ordinal and time in milliseconds at its start. */
  readonly ordinal: number;
  readonly ms: number;
}

/** An embedding that changes gradually over the frames of a stream. */
export class MovingEmbedding {
  #from: Float32Array;
  #to: Float32Array;
  #now: Float32Array;
  #way: Way | null = null;

  constructor(embedding: Float32Array) {
    this.#from = embedding;
    this.#to = embedding;
    this.#now = embedding;
  }

  /** Starts a transition to another embedding, from the current value. */
  moveTo(embedding: Float32Array, way: Way): void {
    if (embedding === this.#to) return;
    this.#from = this.#now;
    this.#to = embedding;
    this.#way = way;
  }

  /** The start and kind of the current transition; null if there is none. */
  get moving(): { readonly from: Float32Array; readonly way: Way } | null {
    return this.#way && { from: this.#from, way: this.#way };
  }

  /**
   * Returns the embedding for the frame with this ordinal at this time: a new array for each call during a transition,
   * otherwise always the same.
   */
  at(ordinal: number, ms: number): Float32Array {
    if (!this.#way) return this.#now;
    const { method, length, ...start } = this.#way;
    const { frames, seconds } = length;
    const byFrames = frames === 0 ? 1 : (ordinal - start.ordinal) / frames;
    const bySeconds = seconds === 0 ? 1 : (ms - start.ms) / 1000 / seconds;
    const t = Math.min(byFrames, bySeconds, 1);
    if (t >= 1) {
      this.#way = null;
      this.#now = this.#to;
    } else {
      this.#now = interpolate(this.#from, this.#to, t, method, new Float32Array(this.#to.length));
    }
    return this.#now;
  }
}
