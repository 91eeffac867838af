import type { StreamParameters } from '@millrace/protocol';
import type { AppParts } from '../../../src/app.js';
import type { Engine, EngineStream, GeneratedImage, StreamListener } from '../../../src/engine/engine.js';
import type { PictureCodec } from '../../../src/image/codec.js';
import { pictureCodec } from '../../../src/image/codec.js';
import type { Image } from '../../../src/image/image.js';
import { stubStream } from '../../support/stub-stream.js';

const state: Engine['state'] = {
  name: 'ready',
  device: 'none',
  calibration: { at: new Date(0), isKept: false },
  costs: [],
  rowBudget: 1,
  pictureMs: 0,
};
const timings = { queueMs: 0, vaeEncodeMs: 0, denoiseMs: 0, vaeDecodeMs: 0 };

/** Replaces the engine: returns each frame unchanged, at once. */
class PassThroughEngine implements Engine {
  readonly state = state;
  readonly #free: Uint8Array<ArrayBuffer>[] = [];

  async start(): Promise<void> {}

  async openStream(_parameters: StreamParameters, listener: StreamListener): Promise<EngineStream> {
    await Promise.resolve();
    return stubStream({
      // As in the real engine, listeners are called only after push has returned.
      push: (frame, { image }) => image && queueMicrotask(() => void this.#pass(frame, image, listener)),
      configure: () => Promise.resolve({ from: 0 }),
      snapshot: () => Promise.resolve({ ordinal: 0, frames: [] }),
    });
  }

  allocate(bytes: number): Uint8Array<ArrayBuffer> {
    const free = this.#free.pop();
    return free?.length === bytes ? free : new Uint8Array(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #pass(frame: number, image: Image, listener: StreamListener): Promise<void> {
    listener.onAdmitted(frame);
    const { width, height, data } = image;
    const generated: GeneratedImage = { width, height, data, timings };
    await listener.onResult(frame, generated);
    if (this.#free.length < 16) this.#free.push(image.data);
  }
}

/** Replaces the JPEG codec: passes the file itself through as the data of a picture of this size. */
function bareFiles(side: number): PictureCodec {
  return {
    decode: (bytes) => Promise.resolve({ width: side, height: side, data: bytes as Uint8Array<ArrayBuffer> }),
    encode: ({ data }) => Promise.resolve(data),
    encodePreview: ({ data }) => Promise.resolve(data),
  };
}

/** The data that passes through the server: files as they are, or decoded pictures. */
export type Cargo = 'files' | 'pictures';

/**
 * Returns the parts of a server without inference.
 * @param cargo `files` neither decodes nor encodes.
 * @param side of the pictures.
 */
export function passThroughParts(cargo: Cargo, side: number): AppParts {
  return {
    createEngine: () => new PassThroughEngine(),
    pictures: cargo === 'files' ? bareFiles(side) : pictureCodec,
  };
}
