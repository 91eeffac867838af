import type { StreamParameters } from '@millrace/protocol';
import { Gaussian } from '../../../diffusion/gaussian.js';
import { SimilarityFilter } from '../../../diffusion/similarity-filter.js';
import { sentPixels, type FrameInput } from '../../frame-input.js';

/** Key of the filter's random numbers, to separate them from the noise. */
const filterKey = 0x5353;

/** The similarity filter of a stream: compares all pictures that come with a frame, if the parameters turn it on. */
export class FrameFilter {
  readonly #filter: SimilarityFilter;

  constructor(seed: StreamParameters['seed']) {
    const random = new Gaussian(typeof seed === 'number' ? seed : (seed[0]?.seed ?? 0), filterKey);
    this.#filter = new SimilarityFilter(() => random.uniform(), 127.5);
  }

  /** Returns whether to skip a frame. */
  skips(input: FrameInput, parameters: StreamParameters): boolean {
    const pixels = comparedPixels(input, parameters);
    const { similar_image_filter_threshold: threshold, similar_image_filter_max_skip_frame: most } =
      parameters;
    return pixels !== null && this.#filter.isSimilar(pixels, threshold, most);
  }

  /** Notes that a frame enters: later ones are compared with it. */
  entered(input: FrameInput, parameters: StreamParameters): void {
    const pixels = comparedPixels(input, parameters);
    if (pixels) this.#filter.accept(pixels);
  }

  /** Forgets the last frame, so that the next one is not skipped. */
  reset(): void {
    this.#filter.reset();
  }
}

/** Returns null if nothing is compared. */
function comparedPixels(input: FrameInput, parameters: StreamParameters): readonly Uint8Array[] | null {
  return parameters.similar_image_filter ? sentPixels(input) : null;
}
