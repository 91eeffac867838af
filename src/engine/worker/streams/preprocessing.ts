import type { BatchShare } from '../../../diffusion/batcher.js';
import type { Image } from '../../../image/image.js';
import { ModelError } from '../../../model/model-error.js';
import type { PictureJob } from '../networks/preprocessors.js';
import type { ModelRuntime } from '../networks/runtime.js';
import type { LiveStream } from './live-stream.js';
import { recycle, type Post } from './post.js';
import type { WorkPrices } from './work-prices.js';

interface PreprocessingOptions {
  readonly prices: Pick<WorkPrices, 'observePreprocessed'>;
  readonly post: Post;
}

/** Makes pictures that waiting frames lack with the preprocessors of the model, those of several streams in one call. */
export class Preprocessing {
  readonly #runtime: Pick<ModelRuntime, 'preparePictures'>;
  readonly #options: PreprocessingOptions;

  constructor(runtime: Pick<ModelRuntime, 'preparePictures'>, options: PreprocessingOptions) {
    this.#runtime = runtime;
    this.#options = options;
  }

  /**
   * Makes a picture for each frame of these shares, whose streams have one key. A frame for which the network fails is
   * dropped; all streams continue.
   */
  async make(preprocessor: string, shares: readonly BatchShare<LiveStream>[]): Promise<void> {
    const frames = shares.flatMap(({ source: stream, entries }) =>
      stream.lacking.slice(0, entries).map(({ frame, input }) => ({ stream, frame, input })),
    );
    const jobs = frames.flatMap(({ input: { image } }) => (image ? [{ preprocessor, image }] : []));
    const start = performance.now();
    const pictures = await this.#prepare(jobs);
    const ms = (performance.now() - start) / jobs.length;
    const [first] = frames;
    if (first) this.#options.prices.observePreprocessed(first.stream.key, first.stream.plan.shape, ms);
    for (const [i, { stream, frame, input }] of frames.entries()) {
      const picture = pictures[i];
      if (picture) {
        stream.supply(frame, { preprocessor, picture });
        continue;
      }
      stream.discard(frame);
      this.#options.post({ type: 'dropped', stream: stream.id, frame, reason: 'failed' });
      recycle(input, this.#options.post);
    }
  }

  /** Returns a picture for each job; null where the network fails. If a call fails, each picture gets its own. */
  async #prepare(jobs: readonly PictureJob[]): Promise<readonly (Image | null)[]> {
    try {
      const pictures = await this.#runtime.preparePictures(jobs);
      if (pictures.includes(null)) this.#options.post({ type: 'not_finite', part: 'preprocessor' });
      return pictures;
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      if (jobs.length > 1) {
        const single: (Image | null)[] = [];
        for (const job of jobs) single.push(...(await this.#prepare([job])));
        return single;
      }
      this.#options.post({ type: 'note', text: error.message });
      return [null];
    }
  }
}
