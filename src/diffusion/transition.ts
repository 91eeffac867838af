import { interpolate, type BlendMethod } from './blend.js';

/** How long the way to a new prompt is; the longer of the two counts, and 0 and 0 is at once. */
export interface TransitionLength {
  readonly frames: number;
  readonly seconds: number;
}

/** How an embedding moves, and since when. */
export interface Way {
  readonly method: BlendMethod;
  readonly length: TransitionLength;
  /** Frame ordinal and milliseconds at which it began. */
  readonly ordinal: number;
  readonly ms: number;
}

/** An embedding that can move: what a stream is conditioned on as its frames go by. */
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

  /** Turns towards another embedding, from wherever it is now. */
  moveTo(embedding: Float32Array, way: Way): void {
    if (embedding === this.#to) return;
    this.#from = this.#now;
    this.#to = embedding;
    this.#way = way;
  }

  /** Where it came from, and how it moves; null while it does not. */
  get moving(): { readonly from: Float32Array; readonly way: Way } | null {
    return this.#way && { from: this.#from, way: this.#way };
  }

  /**
   * The embedding for the frame with this ordinal at this time. Its array changes only while the way lasts,
   * and is then a new one for each call.
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
