/** The pixels of a picture that is a part of a frame. */
type Pixels = ArrayLike<number>;

/** A picture of the reference. */
interface Kept {
  /** Of all values, or of a sample. */
  readonly values: Float32Array;
  readonly norm: number;
  /** The number of values in the picture. */
  readonly length: number;
}

/**
 * Most values of a picture that are compared; of larger pictures every nth. A cosine of so many differs from that of all
 * by less than a camera's noise changes it, and all would take the thread that calls the device several milliseconds.
 */
const mostCompared = 65_536;
/** Distances of compared values. In RGB, none of them takes a colour alone; primes rarely divide a picture's width. */
const strides: readonly number[] = [1, 2, 5, 7, 11, 13, 17, 23, 31, 47, 67, 97, 139, 199, 283, 401];

/**
 * Stochastic similarity filter (StreamDiffusion section 3.5): the more similar a frame is to the last processed one,
 * the likelier it is skipped. With c their cosine similarity and h the threshold, a frame is skipped with probability
 * max(0, 1 - (1 - c) / (1 - h)), and at most `maxSkip` frames in a row.
 * (The original counts skips in total and allows one more.)
 *
 * A frame may consist of several pictures, such as one to change and its mask: it is as similar as the least similar. Of
 * large pictures a sample is compared.
 */
export class SimilarityFilter {
  readonly #random: () => number;
  /** Subtracted from pixel values: 127.5 for bytes, which represent -1 to 1. */
  readonly #centre: number;
  #reference: readonly Kept[] | null = null;
  #skipped = 0;

  /** @param random returns uniform numbers in [0, 1), one for each compared frame. */
  constructor(random: () => number, centre: number) {
    this.#random = random;
    this.#centre = centre;
  }

  /**
   * Returns whether to skip a frame; draws a random number only if there is a frame to compare with.
   * @param threshold from 0 to 1; at 1 nothing is skipped.
   * @param maxSkip frames in a row, at least 0.
   */
  isSimilar(frame: readonly Pixels[], threshold: number, maxSkip: number): boolean {
    const cosine = this.similarity(frame);
    if (cosine === null) return false;
    const probability = skipProbability(cosine, threshold);
    // A draw may be exactly 0; with probability 0 the frame must still pass.
    const similar = probability > 0 && this.#random() <= probability;
    if (!similar || this.#skipped >= maxSkip) return false;
    this.#skipped += 1;
    return true;
  }

  /** Makes a frame the reference for later ones: to be called for each processed frame. */
  accept(frame: readonly Pixels[]): void {
    this.#reference = frame.map((pixels, i) => this.#keep(pixels, this.#reference?.[i]));
    this.#skipped = 0;
  }

  /** Forgets the reference, so that the next frame is never skipped. */
  reset(): void {
    this.#reference = null;
  }

  /** Returns the cosine similarity of a frame to the reference; null if there is none with pictures of these sizes. */
  similarity(frame: readonly Pixels[]): number | null {
    const reference = this.#reference;
    if (reference?.length !== frame.length) return null;
    let least = Infinity;
    for (const [i, pixels] of frame.entries()) {
      const kept = reference[i];
      if (kept.length !== pixels.length) return null;
      least = Math.min(least, this.#cosine(pixels, kept));
    }
    return least;
  }

  #cosine(pixels: Pixels, { values, norm }: Kept): number {
    const stride = strideOf(pixels);
    let dot = 0;
    let sum = 0;
    for (let i = 0, at = 0; i < values.length; i++, at += stride) {
      const value = pixels[at] - this.#centre;
      dot += values[i] * value;
      sum += value * value;
    }
    return dot / Math.max(1e-6, norm * Math.sqrt(sum));
  }

  /** Returns what is compared of a picture, in the memory of a former one if they have the same size. */
  #keep(pixels: Pixels, former: Kept | undefined): Kept {
    const { length } = pixels;
    const stride = strideOf(pixels);
    const values = former?.length === length ? former.values : new Float32Array(Math.ceil(length / stride));
    let sum = 0;
    for (let i = 0, at = 0; i < values.length; i++, at += stride) {
      const value = pixels[at] - this.#centre;
      values[i] = value;
      sum += value * value;
    }
    return { values, norm: Math.sqrt(sum), length };
  }
}

function strideOf({ length }: Pixels): number {
  const least = length / mostCompared;
  return strides.find((stride) => stride >= least) ?? Math.ceil(least);
}

/** Returns the probability of skipping a frame with this cosine similarity. */
export function skipProbability(cosine: number, threshold: number): number {
  if (threshold >= 1) return 0;
  return Math.max(0, 1 - (1 - cosine) / (1 - threshold));
}
