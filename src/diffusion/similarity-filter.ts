/**
 * Stochastic similarity filter (StreamDiffusion section 3.5): the likelier a frame equals the last one that was
 * processed, the likelier it is skipped. With c the cosine similarity of the two and h the threshold, a frame is
 * skipped with probability max(0, 1 - (1 - c) / (1 - h)), and never more than `maxSkip` in a row.
 * (The original counts skips in total and lets one more through; here they are counted in a row.)
 */
export class SimilarityFilter {
  readonly #random: () => number;
  /** What pixel values are relative to: 127.5 for bytes, which stand for -1 to 1. */
  readonly #centre: number;
  #reference: Float32Array | null = null;
  #referenceNorm = 0;
  #skipped = 0;

  /** @param random uniform numbers in [0, 1), one for each frame that is compared. */
  constructor(random: () => number, centre: number) {
    this.#random = random;
    this.#centre = centre;
  }

  /**
   * Decides on one frame; draws a random number only if there is something to compare with.
   * @param threshold from 0 to 1; at 1 nothing is skipped.
   * @param maxSkip frames in a row, at least 0.
   */
  isSimilar(pixels: ArrayLike<number>, threshold: number, maxSkip: number): boolean {
    const cosine = this.similarity(pixels);
    if (cosine === null) return false;
    const probability = skipProbability(cosine, threshold);
    // A draw may be exactly 0, and a probability of 0 must still pass.
    const similar = probability > 0 && this.#random() <= probability;
    if (!similar || this.#skipped >= maxSkip) return false;
    this.#skipped += 1;
    return true;
  }

  /** Makes a frame the one that later frames are compared with: call it for each frame that is processed. */
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

  /** Forgets the last frame, so that the next one is processed whatever it shows. */
  reset(): void {
    this.#reference = null;
  }

  /** Cosine similarity of a frame to the last one processed; null if there is none of that size. */
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

/** Probability of skipping a frame of this cosine similarity. */
export function skipProbability(cosine: number, threshold: number): number {
  if (threshold >= 1) return 0;
  return Math.max(0, 1 - (1 - cosine) / (1 - threshold));
}
