/**
 * Stochastic similarity filter (StreamDiffusion section 3.5): the more similar a frame is to the last processed one,
 * the likelier it is skipped. With c their cosine similarity and h the threshold, a frame is skipped with probability
 * max(0, 1 - (1 - c) / (1 - h)), and at most `maxSkip` frames in a row.
 * (The original counts skips in total and allows one more.)
 */
export class SimilarityFilter {
  readonly #random: () => number;
  /** Subtracted from pixel values: 127.5 for bytes, which represent -1 to 1. */
  readonly #centre: number;
  #reference: Float32Array | null = null;
  #referenceNorm = 0;
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
  isSimilar(pixels: ArrayLike<number>, threshold: number, maxSkip: number): boolean {
    const cosine = this.similarity(pixels);
    if (cosine === null) return false;
    const probability = skipProbability(cosine, threshold);
    // A draw may be exactly 0; with probability 0 the frame must still pass.
    const similar = probability > 0 && this.#random() <= probability;
    if (!similar || this.#skipped >= maxSkip) return false;
    this.#skipped += 1;
    return true;
  }

  /** Makes a frame the reference for later ones: to be called for each processed frame. */
  accept(pixels: ArrayLike<number>): void {
    if (this.#reference?.length !== pixels.length) this.#reference = new Float32Array(pixels.length);
    const reference = this.#reference;
    let sum = 0;
    for (let i = 0; i < reference.length; i++) {
      const value = pixels[i] - this.#centre;
      reference[i] = value;
      sum += value * value;
    }
    this.#referenceNorm = Math.sqrt(sum);
    this.#skipped = 0;
  }

  /** Forgets the reference, so that the next frame is never skipped. */
  reset(): void {
    this.#reference = null;
  }

  /** Returns the cosine similarity of a frame to the reference; null if there is none of that size. */
  similarity(pixels: ArrayLike<number>): number | null {
    const reference = this.#reference;
    if (reference === null || reference.length !== pixels.length) return null;
    let dot = 0;
    let sum = 0;
    for (let i = 0; i < reference.length; i++) {
      const value = pixels[i] - this.#centre;
      dot += reference[i] * value;
      sum += value * value;
    }
    return dot / Math.max(1e-6, this.#referenceNorm * Math.sqrt(sum));
  }
}

/** Returns the probability of skipping a frame with this cosine similarity. */
export function skipProbability(cosine: number, threshold: number): number {
  if (threshold >= 1) return 0;
  return Math.max(0, 1 - (1 - cosine) / (1 - threshold));
}
