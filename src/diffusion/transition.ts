import { interpolate, type BlendMethod } from './blend.js';

/** How long the way to a new prompt is; the longer of the two counts, and 0 and 0 is at once. */
export interface TransitionLength {
  readonly frames: number;
  readonly seconds: number;
}

/** An embedding that can move: what a stream is conditioned on as its frames go by. */
export class MovingEmbedding {
  #from: Float32Array;
  #to: Float32Array;
  #now: Float32Array;
  #method: BlendMethod = 'lerp';
  #length: TransitionLength = { frames: 0, seconds: 0 };
  /** Frame ordinal and milliseconds at which the way began. */
  #start = { ordinal: 0, ms: 0 };
  #moving = false;

  constructor(embedding: Float32Array) {
    this.#from = embedding;
    this.#to = embedding;
    this.#now = embedding;
  }

  /** Turns towards another embedding, from wherever it is now. */
  moveTo(
    embedding: Float32Array,
    way: {
      readonly method: BlendMethod;
      readonly length: TransitionLength;
      readonly ordinal: number;
      readonly ms: number;
    },
  ): void {
    if (embedding === this.#to) return;
    this.#from = this.#now;
    this.#to = embedding;
    this.#method = way.method;
    this.#length = way.length;
    this.#start = { ordinal: way.ordinal, ms: way.ms };
    this.#moving = true;
  }

  /**
   * The embedding for the frame with this ordinal at this time. Its array changes only while the way lasts,
   * and is then a new one for each call.
   */
  at(ordinal: number, ms: number): Float32Array {
    if (!this.#moving) return this.#now;
    const { frames, seconds } = this.#length;
    const byFrames = frames === 0 ? 1 : (ordinal - this.#start.ordinal) / frames;
    const bySeconds = seconds === 0 ? 1 : (ms - this.#start.ms) / 1000 / seconds;
    const t = Math.min(byFrames, bySeconds, 1);
    if (t >= 1) {
      this.#moving = false;
      this.#now = this.#to;
    } else {
      this.#now = interpolate(this.#from, this.#to, t, this.#method, new Float32Array(this.#to.length));
    }
    return this.#now;
  }
}
