import type { Lane } from '../../../diffusion/stream.js';
import type { BufferPool } from '../../buffer-pool.js';
import type { ExpectedCosts } from '../../costs.js';
import { inParts } from '../../in-parts.js';
import type { FeatureSource } from '../networks/control-networks.js';
import { NotFiniteError } from '../networks/finite.js';
import type { ModelRuntime } from '../networks/runtime.js';
import type { Size } from '../networks/sizes.js';
import { controlFeatures, type ControlFeatures, type ControlPictures } from './control-features.js';
import type { LiveStream } from './live-stream.js';
import { recycle, type Post } from './post.js';
import type { SafetyGuard } from './safety-guard.js';
import type { WaitingFrame } from './stream-context.js';
import type { KeptPicture, Prepared } from './stream-pictures.js';
import type { WorkPrices } from './work-prices.js';

/** The networks between pictures and latents. */
export type VaeNetworks = Pick<ModelRuntime, 'latentShape' | 'encode' | 'decode'> & {
  readonly controls: FeatureSource | null;
};

export interface VaeCallsOptions {
  /** Most pictures of one call. */
  readonly pictureBudget: number;
  readonly expected: ExpectedCosts;
  readonly prices: WorkPrices;
  readonly post: Post;
  /** Buffers for results, and for pictures that are encoded. */
  readonly pixels: BufferPool;
  /** Checks results; null if none are checked. */
  readonly guard: SafetyGuard | null;
}

/** A frame that enters. */
interface Entrant {
  readonly stream: LiveStream;
  readonly waiting: WaitingFrame;
}

/** A frame of the next U-Net call. */
interface Placed {
  readonly stream: LiveStream;
  readonly lane: Lane;
}

/** A frame after its last stage. */
export interface Finished {
  readonly stream: LiveStream;
  readonly frame: number;
  readonly latent: Float32Array;
}

/** The part of one frame in a call of the VAE: of how many pictures, and the milliseconds of the call for each. */
interface CallShare {
  readonly together: number;
  readonly ms: number;
}

/** Size and timings of a frame under way. */
interface Passage extends Size {
  readonly queueMs: number;
  /** Its part of the call that encoded it; null if none did. */
  readonly encoded: CallShare | null;
  /** By performance.now(). */
  readonly enteredAt: number;
  /** The pictures that its result needs, if it has a mask. */
  readonly kept: KeptPicture | null;
  /** Copies of its control pictures, if they are shown with its result. */
  readonly shown: ControlPictures | null;
}

/**
 * Takes frames from pictures to latents and back: all that enter before a U-Net call, and all that leave after it, in
 * calls of as many pictures as calibration found best. A frame for which a network computes NaN or infinite values is
 * dropped; the others of its call continue.
 */
export class VaeCalls {
  readonly #networks: VaeNetworks;
  readonly #options: VaeCallsOptions;
  readonly #charge: (stream: LiveStream, ms: number) => void;
  readonly #passages = new Map<LiveStream, Map<number, Passage>>();
  /** Costs of the frames finished since they were last taken. */
  #costs = { ms: 0, expectedMs: 0 };

  /** @param charge charges milliseconds of work for a stream to its share. */
  constructor(
    networks: VaeNetworks,
    options: VaeCallsOptions,
    charge: (stream: LiveStream, ms: number) => void,
  ) {
    this.#networks = networks;
    this.#options = options;
    this.#charge = charge;
  }

  get streams(): readonly LiveStream[] {
    return [...this.#passages.keys()];
  }

  /** Adds a stream, with its frames under way if it was restored. */
  add(stream: LiveStream): void {
    const enteredAt = performance.now();
    const none = { queueMs: 0, encoded: null, kept: null, shown: null };
    const passage: Passage = { ...stream.size, ...none, enteredAt };
    this.#passages.set(stream, new Map(stream.lanes().map(({ frame }) => [frame, passage])));
  }

  remove(stream: LiveStream): void {
    for (const [frame] of this.#passages.get(stream) ?? []) this.#end(stream, frame);
    this.#passages.delete(stream);
    this.#options.guard?.remove(stream);
  }

  /** Returns the milliseconds that pictures took since the last time, and those that calibration expected. */
  takeCosts(): { readonly ms: number; readonly expectedMs: number } {
    const costs = this.#costs;
    this.#costs = { ms: 0, expectedMs: 0 };
    return costs;
  }

  /** Lets frames whose latents have one shape enter. @returns their lanes, without those of frames that failed. */
  async enter(entrants: readonly Entrant[]): Promise<readonly Placed[]> {
    const placed: Placed[] = [];
    const { post, pictureBudget, pixels: memory } = this.#options;
    for (const { stream, waiting } of entrants) {
      post({ type: 'admitted', stream: stream.id, frame: waiting.frame });
    }
    for (const some of inParts(entrants, pictureBudget)) {
      const start = performance.now();
      const prepared = some.map(({ stream, waiting: { input } }) => {
        return input.image && stream.pictures.prepare(input, input.image, memory);
      });
      const latents = await this.#encode(some, prepared);
      const enteredAt = performance.now();
      const together = prepared.filter((one) => one !== null).length;
      for (const [i, entrant] of some.entries()) {
        const { stream, waiting } = entrant;
        const picture = prepared[i] ?? null;
        const latent = latents[i] ?? null;
        if (picture && picture.pixels !== waiting.input.image?.data) memory.give(picture.pixels.buffer);
        if (picture && latent === null) {
          this.#fail(stream, waiting.frame, 'vae_encoder');
          recycle(waiting.input, post);
          continue;
        }
        const encoded = picture && { together, ms: (enteredAt - start) / together };
        const lane = await this.#admit(entrant, picture, latent, { encoded, start, enteredAt });
        if (lane) placed.push({ stream, lane });
      }
    }
    return placed;
  }

  /** Decodes frames that finished, whose latents have one shape, and sends their results. */
  async leave(all: readonly Finished[]): Promise<void> {
    const known = all.flatMap((finished) => {
      const passage = this.#passages.get(finished.stream)?.get(finished.frame);
      return passage ? [{ ...finished, passage }] : [];
    });
    const { pixels, pictureBudget } = this.#options;
    for (const some of inParts(known, pictureBudget)) {
      const parts = some.map((finished) => {
        const { width, height } = finished.passage;
        const out = pixels.take(width * height * 3);
        return { finished, out, picture: { width, height, data: new Uint8Array(out) } };
      });
      const latents = some.map(({ latent }) => latent);
      const pictures = parts.map(({ picture }) => picture);
      const start = performance.now();
      const isFinite = await this.#networks.decode(latents, pictures).catch((error: unknown) => {
        for (const { out } of parts) pixels.give(out);
        throw error;
      });
      const decoded = { together: some.length, ms: (performance.now() - start) / some.length };
      for (const [i, { finished, out }] of parts.entries()) {
        if (isFinite[i] === true) await this.#send(finished, out, { start, decoded });
        else {
          pixels.give(out);
          this.#fail(finished.stream, finished.frame, 'vae_decoder');
        }
      }
    }
  }

  /** Drops a frame for which a network computed NaN or infinite values. */
  #fail(stream: LiveStream, frame: number, part: NotFiniteError['part']): void {
    stream.discard(frame);
    this.#end(stream, frame);
    this.#options.post({ type: 'not_finite', part });
    this.#options.post({ type: 'dropped', stream: stream.id, frame, reason: 'failed' });
  }

  /** Runs work for a frame; drops the frame if a network computes NaN or infinite values for it. */
  async orFail<T>(stream: LiveStream, frame: number, action: () => T | Promise<T>): Promise<T | null> {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof NotFiniteError)) throw error;
      this.#fail(stream, frame, error.part);
      return null;
    }
  }

  /** Returns the latent of each picture; null for none, and for one that is not finite. */
  async #encode(
    entrants: readonly Entrant[],
    prepared: readonly (Prepared | null)[],
  ): Promise<readonly (Float32Array | null)[]> {
    const pictures = entrants.flatMap(({ waiting: { width, height } }, i) => {
      const data = prepared[i]?.pixels;
      return data ? [{ width, height, data }] : [];
    });
    if (pictures.length === 0) return prepared.map(() => null);
    const latents = [...(await this.#networks.encode(pictures))];
    return prepared.map((one) => one && (latents.shift() ?? null));
  }

  /** @returns null if the frame failed. */
  async #admit(
    { stream, waiting: { frame, input, arrivedAt, width, height } }: Entrant,
    prepared: Prepared | null,
    latent: Float32Array | null,
    { start, ...times }: Pick<Passage, 'encoded' | 'enteredAt'> & { readonly start: number },
  ): Promise<Lane | null> {
    const { image } = input;
    const steer = (): Promise<ControlFeatures> =>
      controlFeatures(this.#networks.controls, stream, input, { width, height });
    const before = performance.now();
    const steered = await this.orFail(stream, frame, steer);
    this.#charge(stream, performance.now() - before);
    const mask = steered && prepared?.mask;
    if (steered && image) stream.follow(image);
    const kept = image && mask ? { input, image, mask } : null;
    if (!kept) recycle(input, this.#options.post);
    if (steered === null) return null;
    const lane = stream.admit(frame, latent, steered.features, mask?.latent);
    const passage = { width, height, queueMs: start - arrivedAt, ...times, kept, shown: steered.shown };
    this.#passages.get(stream)?.set(frame, passage);
    return lane;
  }

  async #send(
    { stream, frame, passage }: Finished & { readonly passage: Passage },
    pixels: ArrayBuffer,
    { start, decoded }: { readonly start: number; readonly decoded: CallShare },
  ): Promise<void> {
    const { width, height, queueMs, encoded, enteredAt, kept, shown } = passage;
    const { expected, guard, post, prices } = this.#options;
    const result = { width, height, data: new Uint8Array(pixels) };
    stream.pictures.complete(result, kept);
    this.#end(stream, frame);
    const flagged = await guard?.guard(stream, result, this.chargeCheck);
    // Feedback is what was sent: control pictures that are shown may be made of it.
    stream.pictures.resultLeft(result);
    const timings = {
      queueMs,
      vaeEncodeMs: encoded ? encoded.ms * encoded.together : 0,
      denoiseMs: start - enteredAt,
      vaeDecodeMs: performance.now() - start,
    };
    // Without encoding (txt2img), the time cannot be compared with the expected one.
    if (encoded) {
      const ms = encoded.ms + decoded.ms;
      const shape = this.#networks.latentShape({ width, height });
      const expectedMs = [encoded, decoded].map(({ together }) => expected.picture(shape, together) / 2);
      this.#costs.ms += ms;
      this.#costs.expectedMs += expectedMs.reduce((sum, each) => sum + each);
      prices.observePicture(shape, ms);
    }
    const about = { stream: stream.id, frame, width, height, ...(flagged && { flagged }) };
    const memory = Object.values(shown ?? {}).map(({ data }) => data.buffer);
    const previews = shown && { controls: shown };
    post({ type: 'result', ...about, ...previews, pixels, timings }, [pixels, ...memory]);
  }

  /** Charges the check of a result, which is work for a picture that calibration does not expect. */
  readonly chargeCheck = (stream: LiveStream, ms: number): void => {
    this.#charge(stream, ms);
    this.#costs.ms += ms;
  };

  /** Forgets a frame that is no longer under way, and gives back its pictures. */
  #end(stream: LiveStream, frame: number): void {
    const passages = this.#passages.get(stream);
    const kept = passages?.get(frame)?.kept;
    passages?.delete(frame);
    if (kept) recycle(kept.input, this.#options.post);
  }
}
