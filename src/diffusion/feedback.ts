import type { Latent } from './types.js';

/**
 * Latent feedback: a frame that enters has a share of the latent that finished last, so that pictures change gradually.
 * With a share below 1 it is bounded: a mixture of latents is no larger than the largest of them.
 */
export class Feedback {
  #finished: Latent | null = null;
  #mixed: Latent = new Float32Array(0);

  /** A copy of the latent that finished last; null if there is none. */
  get state(): Latent | null {
    return this.#finished?.slice() ?? null;
  }

  /** Continues from a former `state`. */
  set state(finished: Latent | null) {
    this.#finished = finished?.slice() ?? null;
  }

  /** Notes a finished latent. */
  keep(latent: Latent): void {
    if (this.#finished?.length === latent.length) this.#finished.set(latent);
    else this.#finished = latent.slice();
  }

  /**
   * Returns (1 - share) * latent + share * the latent that finished last; the latent itself if there is none. The
   * result is valid until the next call.
   * @param mask factors of the share for each position, [height, width]: where the input stays, there is no feedback.
   */
  mix(latent: Latent, share: number, mask: Float32Array | null = null): Latent {
    const finished = this.#finished;
    if (share === 0 || finished?.length !== latent.length) return latent;
    if (this.#mixed.length !== latent.length) this.#mixed = new Float32Array(latent.length);
    const mixed = this.#mixed;
    for (let i = 0; i < mixed.length; i++) {
      const part = mask ? share * mask[i % mask.length] : share;
      mixed[i] = (1 - part) * latent[i] + part * finished[i];
    }
    return mixed;
  }
}
