import { defaultParameters } from '@millrace/protocol';
import { Stream } from '../../../diffusion/stream.js';
import { requireFinite } from '../networks/finite.js';
import type { ModelRuntime } from '../networks/runtime.js';
import { usualSize, type Size } from '../networks/sizes.js';
import { createPlan } from '../planning/plan.js';

/** The networks that draw a picture. */
type Networks = Pick<
  ModelRuntime,
  'folder' | 'latentShape' | 'embed' | 'encodeOne' | 'predict' | 'decodeOne'
>;

/** Draws the same picture, in one step with the default prompt, as often as needed. */
export class TrialPicture {
  readonly #runtime: Networks;
  readonly #size: Size;
  readonly #pixels: Uint8Array;
  #stream: Promise<Stream> | undefined;

  constructor(runtime: Networks) {
    this.#runtime = runtime;
    this.#size = usualSize(runtime.folder);
    this.#pixels = testPicture(this.#size);
  }

  /**
   * @returns RGB bytes at the model's default size.
   * @throws {NotFiniteError} if a network computes a NaN or infinite value.
   */
  async draw(): Promise<Uint8ClampedArray> {
    this.#stream ??= this.#open();
    const stream = await this.#stream;
    stream.admit(0, await this.#runtime.encodeOne(this.#pixels, this.#size));
    const out = new Uint8ClampedArray(this.#pixels.length);
    for (const lane of stream.lanes()) {
      const predictions = await this.#runtime.predict(lane.rows, lane.shape);
      for (const prediction of predictions) requireFinite('unet', prediction);
      const latent = stream.absorb(lane, predictions);
      if (latent) await this.#runtime.decodeOne(latent, this.#size, out);
    }
    return out;
  }

  async #open(): Promise<Stream> {
    const { folder } = this.#runtime;
    const own = { ...defaultParameters(folder), ...this.#size, t_index_list: null, steps: 1 };
    const { prompt } = own;
    const text = typeof prompt === 'string' ? prompt : (prompt[0]?.text ?? '');
    const positive = await this.#runtime.embed(text);
    return new Stream(
      createPlan(this.#runtime, own),
      { guidance: { type: 'none', scale: 1, delta: 1 }, positive, negative: positive },
      { denoise: 'sequential', frameBufferSize: 1 },
    );
  }
}

/** Returns colour gradients with a checkerboard pattern: all brightness levels, with edges. */
function testPicture({ width, height }: Size): Uint8Array {
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0, p = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const pattern = (x >> 4) % 2 === (y >> 4) % 2 ? 55 : 0;
      pixels[p++] = (x * 200) / width + pattern;
      pixels[p++] = (y * 200) / height + pattern;
      pixels[p++] = 200 - (x * 200) / width;
    }
  }
  return pixels;
}
