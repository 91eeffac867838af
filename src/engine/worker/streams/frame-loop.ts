import { Batcher } from '../../../diffusion/batcher.js';
import type { Lane } from '../../../diffusion/stream.js';
import type { BufferPool } from '../../buffer-pool.js';
import type { ExpectedCosts, SteeredUse } from '../../costs.js';
import type { FeatureSource } from '../networks/control-networks.js';
import { allFinite, NotFiniteError } from '../networks/finite.js';
import { controlFeatures, type ControlFeatures, type ControlPictures } from './control-features.js';
import type { LiveStream } from './live-stream.js';
import type { KeptPicture, Prepared } from './stream-pictures.js';
import { recycle, type Post } from './post.js';
import { Preprocessing } from './preprocessing.js';
import { longMs, Rests } from './rests.js';
import type { SafetyGuard } from './safety-guard.js';
import { UserCount } from './user-count.js';
import type { ModelRuntime } from '../networks/runtime.js';
import { volume, type Size } from '../networks/sizes.js';
import type { KeptRows } from '../networks/unet.js';
import type { WorkPrices } from './work-prices.js';

export interface FrameLoopOptions {
  readonly rowBudget: number;
  readonly expected: ExpectedCosts;
  readonly prices: WorkPrices;
  readonly post: Post;
  /** Buffers for results. */
  readonly pixels: BufferPool;
  /** Checks results; null if none are checked. */
  readonly guard: SafetyGuard | null;
}

/** Size and timings of a frame under way. */
interface Passage extends Size {
  readonly queueMs: number;
  readonly vaeEncodeMs: number;
  /** By performance.now(). */
  readonly enteredAt: number;
  /** The pictures that its result needs, if it has a mask. */
  readonly kept: KeptPicture | null;
  /** Copies of its control pictures, if they are shown with its result. */
  readonly shown: ControlPictures | null;
}

/** The networks that frames pass through. */
type Networks = Pick<ModelRuntime, 'latentShape' | 'preparePictures' | 'encode' | 'predict' | 'decode'> & {
  readonly controls: FeatureSource | null;
};

/** Takes the frames of all streams through the networks, one U-Net call after another. */
export class FrameLoop {
  readonly #runtime: Networks;
  readonly #options: FrameLoopOptions;
  readonly #batcher = new Batcher<LiveStream>();
  readonly #passages = new Map<LiveStream, Map<number, Passage>>();
  readonly #preprocessing: Preprocessing;
  readonly #rests = new Rests();
  readonly #users = new UserCount();
  /** Picture costs of the frames finished since the last call. */
  #pictures = { ms: 0, expectedMs: 0 };

  constructor(runtime: Networks, options: FrameLoopOptions) {
    this.#runtime = runtime;
    this.#options = options;
    this.#preprocessing = new Preprocessing(runtime, options);
  }

  /** Adds a stream, with its frames under way if it was restored. */
  add(stream: LiveStream): void {
    const enteredAt = performance.now();
    const none = { queueMs: 0, vaeEncodeMs: 0, kept: null, shown: null };
    const passage: Passage = { ...stream.size, ...none, enteredAt };
    this.#passages.set(stream, new Map(stream.lanes().map(({ frame }) => [frame, passage])));
  }

  /**
   * Decodes the latent that finished last in a stream that was restored, for frames that get a share of its picture.
   * One that does not fit, or becomes NaN, is left out: the feedback then starts over. So it does where results are
   * checked, as the safety checker may have flagged this one.
   */
  async recall(stream: LiveStream, latent: Float32Array): Promise<void> {
    if (this.#options.guard) return;
    const { size } = stream;
    if (latent.length !== volume(this.#runtime.latentShape(size)) || !allFinite(latent)) return;
    const data = new Uint8Array(3 * size.width * size.height);
    try {
      await this.#runtime.decode(latent, size, new Uint8ClampedArray(data.buffer));
      stream.pictures.resultLeft({ ...size, data });
    } catch (error) {
      if (!(error instanceof NotFiniteError)) throw error;
      this.#options.post({ type: 'not_finite', part: error.part });
    }
  }

  remove(stream: LiveStream): void {
    for (const [frame] of this.#passages.get(stream) ?? []) this.#end(stream, frame);
    this.#passages.delete(stream);
    this.#batcher.remove(stream);
    this.#options.guard?.remove(stream);
  }

  /** Charges milliseconds of other work for a stream to its share. */
  charge(stream: LiveStream, ms: number): void {
    this.#batcher.charge(stream, this.#options.prices.unitsOf(ms));
  }

  /** Charges the check of a result, which is work for a picture that calibration does not expect. */
  readonly #chargeCheck = (stream: LiveStream, ms: number): void => {
    this.charge(stream, ms);
    this.#pictures.ms += ms;
  };

  /** Milliseconds until streams with long calls may continue; Infinity if they may now. */
  get rest(): number {
    const left = this.#rests.left(performance.now());
    return left > 0 ? left : Infinity;
  }

  /**
   * Makes one call with what is due next: of the U-Net with the rows that are ready, or of a preprocessor for frames
   * that would enter next. Those pictures are so made while earlier frames are between their U-Net calls.
   * @returns false if there was nothing to do.
   */
  async turn(): Promise<boolean> {
    const begin = performance.now();
    const rests = this.#rests.left(begin) > 0;
    const streams = [...this.#passages.keys()].filter((stream) => !(rests && this.#hasLongCalls(stream)));
    this.#users.update(streams, begin);
    for (const stream of streams) stream.screen();
    const { rowBudget, prices } = this.#options;
    // A call of several lanes should not be long, since all other streams wait for it.
    const maxCost = Math.max(rowBudget, prices.unitsOf(longMs));
    const shares = this.#batcher.gather(streams, rowBudget, maxCost);
    const preprocessor = shares[0]?.source.preprocessor ?? null;
    if (preprocessor !== null) {
      await this.#preprocessing.make(preprocessor, shares);
      return true;
    }
    const placed: { readonly stream: LiveStream; readonly lane: Lane }[] = [];
    for (const { source: stream, lanes, entries } of shares) {
      for (const lane of lanes) placed.push({ stream, lane });
      for (let i = 0; i < entries; i++) {
        const lane = await this.#enter(stream);
        if (lane) placed.push({ stream, lane });
      }
    }
    const [first] = placed;
    // Frames that failed on entry were work too.
    if (first === undefined) return shares.length > 0;

    const { callKey, steered } = first.stream;
    const { use } = steered;
    const rows = placed.flatMap(({ lane }) => lane.rows);
    const start = performance.now();
    const kept: KeptRows = [];
    const predictions = await this.#runtime.predict(rows, first.lane.shape, kept);
    const ms = performance.now() - start;
    prices.observeCall(callKey, first.lane.shape, { rows: rows.length, ms, use });
    this.#report(rows.length, { streams: shares.length, shape: first.lane.shape, ms, use });

    let next = 0;
    for (const { stream, lane } of placed) {
      const [from, to] = [next, next + lane.rows.length];
      const own = predictions.slice(from, to);
      next = to;
      await this.#orFail(stream, lane.frame, async () => {
        if (!own.every(allFinite)) throw new NotFiniteError('unet');
        const latent = stream.absorb(lane, own, kept.slice(from, to));
        if (latent && !allFinite(latent)) throw new NotFiniteError('unet');
        if (latent) await this.#leave(stream, lane.frame, latent);
      });
    }
    await this.#options.guard?.checkRest(this.#chargeCheck);
    this.#restAfter(first.stream, begin);
    return true;
  }

  /** Starts a rest for streams with long calls if this call was long, for the sake of streams with short calls. */
  #restAfter(stream: LiveStream, begin: number): void {
    const now = performance.now();
    if (now - begin < longMs || !this.#hasLongCalls(stream)) return;
    const others = [...this.#passages.keys()].filter((other) => !this.#hasLongCalls(other));
    // Frames that arrived during the call are not known yet.
    const interval = Math.min(Infinity, ...others.map(({ arrivals }) => arrivals.interval(begin)));
    this.#rests.begin({ ms: now - begin, interval, now });
  }

  /** Returns whether a call with one frame of the stream, and its picture, is long by the current prices. */
  #hasLongCalls({ callKey, size, steered }: LiveStream): boolean {
    const { prices } = this.#options;
    const shape = this.#runtime.latentShape(size);
    return prices.row(callKey, shape, steered.use) + prices.picture(shape) >= prices.unitsOf(longMs);
  }

  #report(
    rows: number,
    {
      streams,
      shape,
      ms,
      use,
    }: { streams: number; shape: Lane['shape']; ms: number; use: SteeredUse | null },
  ): void {
    const { expected, post } = this.#options;
    const pictures = this.#pictures;
    this.#pictures = { ms: 0, expectedMs: 0 };
    const expectedMs = expected.call(rows, shape, use) + pictures.expectedMs;
    post({ type: 'inference', rows, streams, ms, pictureMs: pictures.ms, expectedMs });
  }

  /** Drops the frame if a network computes NaN or infinite values for it; all streams continue. */
  async #orFail<T>(stream: LiveStream, frame: number, action: () => Promise<T>): Promise<T | null> {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof NotFiniteError)) throw error;
      stream.discard(frame);
      this.#end(stream, frame);
      this.#options.post({ type: 'not_finite', part: error.part });
      this.#options.post({ type: 'dropped', stream: stream.id, frame, reason: 'failed' });
      return null;
    }
  }

  /** Forgets a frame that is no longer under way, and gives back its pictures. */
  #end(stream: LiveStream, frame: number): void {
    const passages = this.#passages.get(stream);
    const kept = passages?.get(frame)?.kept;
    passages?.delete(frame);
    if (kept) recycle(kept.input, this.#options.post);
  }

  /** @returns null if the frame failed. */
  async #enter(stream: LiveStream): Promise<Lane | null> {
    const { frame, input, arrivedAt, width, height } = stream.takeEntry();
    const { image } = input;
    const { post } = this.#options;
    post({ type: 'admitted', stream: stream.id, frame });
    const start = performance.now();
    const prepared = image && stream.pictures.prepare(input, image);
    const encode = ({ pixels }: Prepared): Promise<Float32Array> =>
      this.#runtime.encode(pixels, { width, height });
    const latent = prepared && (await this.#orFail(stream, frame, () => encode(prepared)));
    const enteredAt = performance.now();
    const isEncoded = image === null || latent !== null;
    const steer = (): Promise<ControlFeatures> =>
      controlFeatures(this.#runtime.controls, stream, input, { width, height });
    const steered = isEncoded ? await this.#orFail(stream, frame, steer) : null;
    this.charge(stream, performance.now() - enteredAt);
    const mask = latent && steered && prepared.mask;
    const kept = image && mask && { input, image, mask };
    if (!kept) recycle(input, post);
    if (steered === null) return null;
    const lane = stream.admit(frame, latent, steered.features, mask?.latent);
    const vaeEncodeMs = latent === null ? 0 : enteredAt - start;
    const { shown } = steered;
    const passage = { width, height, queueMs: start - arrivedAt, vaeEncodeMs, enteredAt, kept, shown };
    this.#passages.get(stream)?.set(frame, passage);
    return lane;
  }

  async #leave(stream: LiveStream, frame: number, latent: Float32Array): Promise<void> {
    const passage = this.#passages.get(stream)?.get(frame);
    if (passage === undefined) return;
    const { width, height, queueMs, vaeEncodeMs, enteredAt, kept, shown } = passage;
    const pixels = this.#options.pixels.take(width * height * 3);
    const result = { width, height, data: new Uint8Array(pixels) };
    const start = performance.now();
    try {
      await this.#runtime.decode(latent, { width, height }, new Uint8ClampedArray(pixels));
      stream.pictures.complete(result, kept);
      this.#end(stream, frame);
    } catch (error) {
      this.#options.pixels.give(pixels);
      throw error;
    }
    const decodeMs = performance.now() - start;
    const flagged = await this.#options.guard?.guard(stream, result, this.#chargeCheck);
    // Feedback is what was sent: control pictures that are shown may be made of it.
    stream.pictures.resultLeft(result);
    const timings = {
      queueMs,
      vaeEncodeMs,
      denoiseMs: start - enteredAt,
      vaeDecodeMs: performance.now() - start,
    };
    // Without encoding (txt2img), the time cannot be compared with the expected one.
    if (vaeEncodeMs > 0) {
      const ms = vaeEncodeMs + decodeMs;
      const shape = this.#runtime.latentShape({ width, height });
      this.#pictures.ms += ms;
      this.#pictures.expectedMs += this.#options.expected.picture(shape);
      this.#options.prices.observePicture(shape, ms);
    }
    const about = { stream: stream.id, frame, width, height, ...(flagged && { flagged }) };
    const memory = Object.values(shown ?? {}).map(({ data }) => data.buffer);
    const previews = shown && { controls: shown };
    this.#options.post({ type: 'result', ...about, ...previews, pixels, timings }, [pixels, ...memory]);
  }
}
