import { styleImageBytes, type ParameterUpdate, type StreamParameters } from '@millrace/protocol';
import { createHash } from 'node:crypto';
import { ParameterError } from '../../engine/engine.js';
import type { PictureCodec } from '../../image/codec.js';
import { ImageError } from '../../image/image.js';
import type { PictureTurns } from '../frames/picture-turns.js';

type StyleImage = StreamParameters['style_image'];

export interface StyleImagesOptions {
  readonly pictures: PictureCodec;
  readonly turns: PictureTurns;
  /** Pixels that a style image may have. */
  readonly maxPixels: number;
  /** Side of the square that the model's image encoder takes; null if the model has none. */
  readonly side: number | null;
}

/** JPEG quality at which the image encoder sees no difference. */
export const styleQuality = 95;
/** What names of style images begin with; base64 has no colon. */
const namePrefix = 'sha256:';

/**
 * Returns a style image as a client sent it: its file, its name, or null.
 * @throws {ParameterError} if it is neither, or too large.
 */
export function readStyleImage(sent: StyleImage): StyleImage {
  if (sent === null || (typeof sent === 'string' && sent.startsWith(namePrefix))) return sent;
  const file = typeof sent === 'string' ? Buffer.from(sent, 'base64') : sent;
  // Node passes over what is no base64.
  if (typeof sent === 'string' && Buffer.from(file).toString('base64') !== sent) {
    throw fault('is not valid base64, which a file is in JSON');
  }
  if (file.length <= styleImageBytes) return file;
  throw fault(`must have at most ${styleImageBytes} bytes, not ${file.length}; make the picture smaller`);
}

/** Returns parameters as clients get them: with the name of the style image in the place of its file. */
export function withStyleName(parameters: StreamParameters): StreamParameters {
  const { style_image: file } = parameters;
  return file instanceof Uint8Array ? { ...parameters, style_image: nameOf(file) } : parameters;
}

/**
 * Makes style images small: only a square at the image encoder's size is kept of each, as a JPEG. So it can travel with
 * the other parameters, to the engine and in resume tokens.
 */
export class StyleImages {
  readonly #options: StyleImagesOptions;

  constructor(options: StyleImagesOptions) {
    this.#options = options;
  }

  /** Whether the model takes style images. */
  get takesAny(): boolean {
    return this.#options.side !== null;
  }

  /**
   * Returns the update with the style image made small, in the owner's turn to decode.
   * @param owner has turns at decoding; `forget` ends them.
   * @param present the one in force, which the update may name.
   * @throws {ParameterError} if it is not a usable image, or another name.
   * @throws {Error} if the owner was forgotten before its turn.
   */
  async prepare(
    update: ParameterUpdate,
    owner: object,
    present: StyleImage = null,
  ): Promise<ParameterUpdate> {
    const { style_image: sent } = update;
    if (sent === undefined || sent === null) return update;
    if (typeof sent === 'string') {
      if (present instanceof Uint8Array && sent === nameOf(present))
        return { ...update, style_image: present };
      throw fault('names a picture that is not in force; send its file');
    }
    const made = await this.#options.turns.run(owner, () => this.#shrink(sent));
    if (made === null) throw new Error('the client is gone');
    return { ...update, style_image: made };
  }

  /** Does the same for an owner with one update, which is forgotten afterwards. */
  async prepareOnce(update: ParameterUpdate): Promise<ParameterUpdate> {
    const owner = {};
    return this.prepare(update, owner).finally(() => this.forget(owner));
  }

  /** Ends the turns of an owner; what waits for one fails. */
  forget(owner: object): void {
    this.#options.turns.remove(owner);
  }

  async #shrink(file: Uint8Array): Promise<Uint8Array> {
    const { pictures, maxPixels, side } = this.#options;
    if (side === null) throw fault('must be null: the model has no image encoder');
    try {
      // As CLIP's image processor: the shorter side is resized, and the middle is taken.
      const box = { width: side, height: side, fit: 'cover' } as const;
      return await pictures.encode(await pictures.decode(file, { maxPixels, box }), styleQuality);
    } catch (error) {
      if (error instanceof ImageError) throw fault(`cannot be used: ${error.message}`);
      throw error;
    }
  }
}

/** Returns the name of a style image: a hash of what is kept of it. */
function nameOf(file: Uint8Array): string {
  return namePrefix + createHash('sha256').update(file).digest('hex');
}

function fault(what: string): ParameterError {
  return new ParameterError('style_image', `style_image ${what}`);
}
