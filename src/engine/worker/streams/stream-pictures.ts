import type { StreamParameters } from '@millrace/protocol';
import type { Image } from '../../../image/image.js';
import {
  drawMask,
  featherMask,
  invertMask,
  mixPixels,
  restorePixels,
  type Mask,
} from '../../../image/mask.js';
import type { BufferPool } from '../../buffer-pool.js';
import { activeControls, type ActiveControl } from '../../active-controls.js';
import type { FrameInput } from '../../frame-input.js';
import type { PlanModel } from '../planning/plan.js';
import type { Shape } from '../networks/sizes.js';

/** A mask at the size of the pictures, and at that of the latents: from 0 (the input stays) to 1, [height, width]. */
export interface FrameMask {
  readonly pixels: Mask;
  readonly latent: Float32Array;
}

/** The picture of a frame as it is encoded, and its mask; null if all may change. */
export interface Prepared {
  readonly pixels: Uint8Array<ArrayBuffer>;
  readonly mask: FrameMask | null;
}

/** What is kept of a frame with a mask until its result. */
export interface KeptPicture {
  readonly input: FrameInput;
  readonly image: Image;
  readonly mask: FrameMask;
}

/** Least milliseconds between two frames whose control pictures are shown. */
const previewMs = 250;

/** The part of a model that says where its latents lie in pictures, and what takes pictures. */
type Model = Pick<PlanModel, 'latentShape'> & {
  readonly folder: Pick<PlanModel['folder'], 'pixelFactor' | 'controls'>;
};

/** What the parameters draw. */
interface Drawn {
  /** Of these parameters. */
  readonly from: string;
  /** The shape alone; null if there is none. */
  readonly shape: Mask | null;
  /** The shape as it is used; null if all may change. */
  readonly mask: FrameMask | null;
}

/**
 * What a stream does to its pictures before they are encoded and after they are decoded. With picture feedback, each
 * has a share of the result before it. With a mask, the input stays in parts of the result; there it has no feedback
 * either.
 */
export class StreamPictures {
  readonly #model: Model;
  #parameters: StreamParameters;
  #drawn: Drawn | null = null;
  /** A copy of the last result, if there is feedback or a control that takes it. */
  #last: Image | null = null;
  /** When control pictures were last chosen to be shown, by `performance.now()`. */
  #shownAt = -Infinity;

  constructor(model: Model, parameters: StreamParameters) {
    this.#model = model;
    this.#parameters = parameters;
  }

  /** Changes the parameters, for frames that are prepared later. */
  set parameters(parameters: StreamParameters) {
    const { width, height } = this.#parameters;
    if (parameters.width !== width || parameters.height !== height) this.forget();
    this.#parameters = parameters;
  }

  /**
   * Prepares the picture of a frame that enters. The mask of the input is written to.
   * @param memory for a picture that is not that of the input.
   */
  prepare(input: FrameInput, image: Image, memory: Pick<BufferPool, 'take'>): Prepared {
    const mask = input.mask ? this.#adjust(input.mask) : this.#draw().mask;
    return { pixels: this.#mix(image, mask?.pixels ?? null, memory), mask };
  }

  /** Returns the picture of a control that the last result steers: before the first result, that of the frame. */
  feedbackFor({ preprocessor }: ActiveControl, image: Image | null): Image | null {
    return preprocessor === 'feedback' ? (this.#last ?? image) : null;
  }

  /**
   * Returns copies of the pictures by which controls steer a frame that enters, to be shown with its result; null if
   * there are none, nobody asks, or it is too soon after the last ones.
   */
  preview(pictures: Readonly<Record<string, Image>>): Readonly<Record<string, Image>> | null {
    const now = performance.now();
    const all = Object.entries(pictures);
    const isAsked = this.#parameters.control_previews && all.length > 0;
    if (!isAsked || now < this.#shownAt + previewMs) return null;
    this.#shownAt = now;
    const copies = all.map(([name, { width, height, data }]) => {
      return [name, { width, height, data: data.slice(0, 3 * width * height) }] as const;
    });
    return Object.fromEntries(copies);
  }

  /**
   * Returns the mask that a picture shows, white where the frame may change; if the parameters have a mask too, what is
   * in both.
   */
  maskOf({ width, height, data }: Image): Mask {
    const shape = this.#draw().shape?.data;
    const mask = new Uint8Array(width * height);
    for (let i = 0; i < mask.length; i++) {
      const value = data[3 * i] ?? 0;
      mask[i] = shape ? Math.round((value * (shape[i] ?? 0)) / 255) : value;
    }
    return { width, height, data: mask };
  }

  /** Completes a result: where the mask is 0, it gets the pixels of the input. */
  complete(result: Image, kept: KeptPicture | null): void {
    if (kept) restorePixels(result.data, kept.image.data, kept.mask.pixels);
  }

  /** Takes note of a result as it was sent. The next frames get a share of it. */
  resultLeft(result: Image): void {
    const { width, height, pixel_feedback: share } = this.#parameters;
    const controls = activeControls(this.#model.folder.controls, this.#parameters);
    const isUsed = share > 0 || controls.some(({ preprocessor }) => preprocessor === 'feedback');
    if (!isUsed) this.forget();
    else if (result.width === width && result.height === height) this.#keep(result);
  }

  /** Forgets the last result. */
  forget(): void {
    this.#last = null;
  }

  #keep({ width, height, data }: Image): void {
    const memory = this.#last?.data.length === data.length ? this.#last.data : new Uint8Array(data.length);
    memory.set(data);
    this.#last = { width, height, data: memory };
  }

  #mix({ data: input }: Image, mask: Mask | null, memory: Pick<BufferPool, 'take'>): Uint8Array<ArrayBuffer> {
    const { pixel_feedback: share } = this.#parameters;
    const other = this.#last?.data;
    if (share === 0 || other === undefined) return input;
    // Memory of its own, since several frames of a stream may be encoded in one call.
    const mixed = new Uint8Array(memory.take(other.length));
    mixPixels(mixed, { input, other, share }, mask);
    return mixed;
  }

  /** Returns what the parameters draw; draws it if they have changed. */
  #draw(): Drawn {
    const { mask: kind, mask_x: x, mask_y: y, mask_width: width, mask_height: height } = this.#parameters;
    const { width: columns, height: rows, mask_invert, mask_feather } = this.#parameters;
    const from = JSON.stringify([kind, x, y, width, height, columns, rows, mask_invert, mask_feather]);
    if (this.#drawn?.from !== from) {
      const size = { width: columns, height: rows };
      const shape = kind === 'none' ? null : drawMask({ kind, x, y, width, height }, size);
      const mask = shape && this.#adjust({ ...shape, data: shape.data.slice() });
      this.#drawn = { from, shape, mask };
    }
    return this.#drawn;
  }

  /** Applies the parameters for all masks, in the memory of the mask. @returns null if all may change. */
  #adjust(mask: Mask): FrameMask | null {
    const { mask_invert, mask_feather } = this.#parameters;
    if (mask_invert) invertMask(mask);
    featherMask(mask, mask_feather);
    if (mask.data.every((share) => share === 255)) return null;
    const { pixelFactor } = this.#model.folder;
    return { pixels: mask, latent: latentMask(mask, this.#model.latentShape(mask), pixelFactor) };
  }
}

/**
 * Returns a mask at the size of latents, each of whose positions is a square of pixels: the mean of the square. Beyond
 * the picture it repeats the last pixels, as the encoder's input does.
 * @param factor side of the square.
 */
function latentMask({ width, height, data }: Mask, [, rows, columns]: Shape, factor: number): Float32Array {
  const out = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let y = row * factor; y < (row + 1) * factor; y++) {
        const start = Math.min(y, height - 1) * width;
        for (let x = column * factor; x < (column + 1) * factor; x++) {
          sum += data[start + Math.min(x, width - 1)] ?? 0;
        }
      }
      out[row * columns + column] = sum / (255 * factor ** 2);
    }
  }
  return out;
}
