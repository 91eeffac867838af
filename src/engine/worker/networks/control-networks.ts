import type { RowValues } from '../../../diffusion/stream.js';
import type { ModelFolder } from '../../../model/folder.js';
import type { ControlLayout } from '../../../model/layout/steered.js';
import { requireFinite } from './finite.js';
import type { OnnxPart } from './onnx-part.js';
import { fillPicture } from './pixels.js';
import { filledSize, latentShape, type Size } from './sizes.js';

/** A control network and how it is used. */
export interface Control {
  readonly layout: ControlLayout;
  readonly part: Pick<OnnxPart, 'runFor'>;
}

/** What computes the features of pictures. */
export type FeatureSource = Pick<ControlNetworks, 'features'>;

/** The control networks of a model, as far as they depend on the picture alone: they run once a frame. */
export class ControlNetworks {
  readonly #folder: ModelFolder;
  readonly #controls: ReadonlyMap<string, Control>;

  constructor(folder: ModelFolder, controls: readonly Control[]) {
    this.#folder = folder;
    this.#controls = new Map(controls.map((control) => [control.layout.name, control]));
  }

  /**
   * Returns what a control makes of a picture (RGB bytes), by the U-Net's inputs that take it.
   * @throws {NotFiniteError} if any value is NaN or infinite.
   */
  async features(name: string, pixels: Uint8Array, size: Size): Promise<RowValues> {
    const control = this.#controls.get(name);
    if (control === undefined) throw new RangeError(`there is no control ${name}`);
    const { layout, part } = control;
    const filled = filledSize(this.#folder, size);
    const data = new Uint8Array(3 * filled.width * filled.height);
    fillPicture(pixels, size, filled, data);
    const [, height, width] = latentShape(this.#folder, size);
    const wanted = layout.features.map(({ output, input }) => {
      return { port: output, shape: input.shape({ rows: 1, timesteps: 1, tokens: 1, height, width }) };
    });
    const feed = { port: layout.image, data, shape: [1, filled.height, filled.width, 3] };
    const results = await part.runFor([feed], wanted);
    const values = layout.features.map(({ input }, k) => {
      // A copy: it stays with its frame, while the memory is used again.
      const feature = (results[k] ?? new Float32Array(0)).slice();
      requireFinite('control', feature);
      return [input.port.name, feature] as const;
    });
    return Object.fromEntries(values);
  }
}
