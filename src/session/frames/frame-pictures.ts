import type { FrameMessage, ModelControl, StreamParameters } from '@millrace/protocol';
import { activeControls, type ActiveControl } from '../../engine/active-controls.js';
import type { FrameInput } from '../../engine/engine.js';
import type { PictureCodec } from '../../image/codec.js';
import { type Allocate, type Image, ImageError } from '../../image/image.js';
import type { Mask } from '../../image/mask.js';
import { readMask } from '../../image/read-mask.js';
import { ProtocolError } from '../wire/protocol-error.js';
import { DerivedPictures } from './control-pictures.js';

export interface FramePicturesOptions {
  readonly pictures: Pick<PictureCodec, 'decode'>;
  readonly allocate: Allocate;
  /** Pixels that the pictures of a frame may have together. */
  readonly framePixels: number;
  /** The controls of the model. */
  readonly controls: readonly ModelControl[];
}

/** The pictures of a frame as they were sent. */
export type SentPictures = Pick<FrameMessage, 'data' | 'mask' | 'controls'>;

const noBytes = new Uint8Array(0);
/** A spare buffer is dropped if it is more than this many times as large as the next picture. */
const mostSpare = 4;
/** Longest name of an unknown control that an error shows. */
const longestName = 40;

/** Makes the pictures of a stream's frames: decodes and fits those that were sent, and derives others from the frame. */
export class FramePictures {
  readonly #options: FramePicturesOptions;
  #scratch: Uint8Array<ArrayBuffer> = noBytes;

  constructor(options: FramePicturesOptions) {
    this.#options = options;
  }

  /**
   * Makes the pictures of one frame, one after another; call it again only when it has settled.
   * @throws {ImageError} if the picture to change cannot be used.
   * @throws {ProtocolError} invalid_frame, naming the mask if it cannot be used, or the control whose picture is
   *   missing, unknown or cannot be used.
   */
  async make(
    { data, mask: sentMask, controls }: SentPictures,
    parameters: StreamParameters,
  ): Promise<Omit<FrameInput, 'decodeMs'>> {
    const { controls: known } = this.#options;
    if (controls) this.#checkNames(Object.keys(controls));
    const { decode, decodeMask, scratchUsed } = this.#openFrame(parameters);
    const image = await decode(data);
    const mask = sentMask && (await naming('mask', 'the mask', () => decodeMask(sentMask)));
    const active = activeControls(known, parameters);
    const steering = active.length > 0 && (await this.#makeControls(active, controls, image, decode));
    if (!scratchUsed()) this.#scratch = noBytes;
    return mask || steering ? { image, ...(mask && { mask }), ...steering } : { image };
  }

  /** Makes the pictures of controls: their own, or from the frame. */
  async #makeControls(
    active: readonly ActiveControl[],
    controls: SentPictures['controls'],
    image: Image,
    decode: (bytes: Uint8Array) => Promise<Image>,
  ): Promise<Pick<FrameInput, 'controls' | 'sent'>> {
    const sent = new Map(controls && Object.entries(controls));
    const derived = new DerivedPictures(image, this.#options.allocate);
    const made: Record<string, Image> = {};
    const ownNames: string[] = [];
    for (const control of active) {
      const own = sent.get(control.name);
      const picture = await naming(
        fieldOf(control.name),
        `the picture of the control ${control.name}`,
        async () => (own ? decode(own) : derived.make(control)),
      );
      if (picture) made[control.name] = picture;
      if (own) ownNames.push(control.name);
    }
    return {
      ...(Object.keys(made).length > 0 && { controls: made }),
      ...(ownNames.length > 0 && { sent: ownNames }),
    };
  }

  /** @throws {ProtocolError} if one of them is no control of the model. */
  #checkNames(names: readonly string[]): void {
    const known = this.#options.controls.map(({ name }) => name);
    // Without half of a surrogate pair, which cannot be encoded as UTF-8.
    const unknown = names
      .find((name) => !known.includes(name))
      ?.slice(0, longestName)
      .replace(/[\uD800-\uDBFF]$/, '');
    if (unknown === undefined) return;
    const fault = `the model has no control ${JSON.stringify(unknown)}: it has ${known.join(', ') || 'none'}`;
    throw new ProtocolError('invalid_frame', fault, { field: fieldOf(unknown) });
  }

  /** Returns what decodes the pictures of one frame, and whether it has used the spare buffer. */
  #openFrame(parameters: StreamParameters): {
    readonly decode: (bytes: Uint8Array) => Promise<Image>;
    readonly decodeMask: (bytes: Uint8Array) => Promise<Mask>;
    readonly scratchUsed: () => boolean;
  } {
    const { pictures, allocate, framePixels } = this.#options;
    const bytes = parameters.width * parameters.height * 3;
    let pixels = 0;
    let used = false;
    const options = {
      maxPixels: framePixels,
      box: parameters,
      onSize: ({ width, height }: Pick<Image, 'width' | 'height'>): void => {
        pixels += width * height;
        if (pixels <= framePixels) return;
        throw new ImageError(`the pictures of the frame have more than ${framePixels} pixels together`);
      },
    };
    const allocatePixels = (needed: number): Uint8Array<ArrayBuffer> => {
      if (needed === bytes) return allocate(needed);
      // Pixels that are resized first never enter the engine, and only one such picture is decoded at a time.
      const scratch = this.#scratchOf(needed, used);
      used = true;
      return scratch;
    };
    return {
      decode: (sent) => pictures.decode(sent, { ...options, allocate: allocatePixels }),
      decodeMask: (sent) => readMask(pictures, sent, options, allocate),
      scratchUsed: () => used,
    };
  }

  /** @param grown whether it may be larger than usual, as another picture of the frame needed it. */
  #scratchOf(bytes: number, grown: boolean): Uint8Array<ArrayBuffer> {
    const { length } = this.#scratch;
    if (length < bytes || (!grown && length > mostSpare * bytes)) this.#scratch = new Uint8Array(bytes);
    return this.#scratch.subarray(0, bytes);
  }
}

/** Makes a picture of a frame. @throws {ProtocolError} naming its field and what it is, if that throws an ImageError. */
async function naming<Picture>(field: string, what: string, make: () => Promise<Picture>): Promise<Picture> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw new ProtocolError('invalid_frame', `${what} cannot be used: ${error.message}`, { field });
  }
}

/** Returns the field of the message that has the picture of a control. */
function fieldOf(control: string): string {
  return `controls.${control}`;
}
