import { Batcher } from '../../../diffusion/batcher.js';
import type { Lane } from '../../../diffusion/stream.js';
import type { SteeredUse } from '../../costs.js';
import { allFinite, NotFiniteError } from '../networks/finite.js';
import type { ModelRuntime } from '../networks/runtime.js';
import { volume } from '../networks/sizes.js';
import type { KeptRows } from '../networks/unet.js';
import type { LiveStream } from './live-stream.js';
import { Preprocessing } from './preprocessing.js';
import { longMs, Rests } from './rests.js';
import { UserCount } from './user-count.js';
import { VaeCalls, type Finished, type VaeCallsOptions, type VaeNetworks } from './vae-calls.js';

export interface FrameLoopOptions extends VaeCallsOptions {
  readonly rowBudget: number;
}

/** The networks that frames pass through. */
type Networks = VaeNetworks & Pick<ModelRuntime, 'preparePictures' | 'predict'>;

/** Takes the frames of all streams through the networks, one U-Net call after another. */
export class FrameLoop {
  readonly #runtime: Networks;
  readonly #options: FrameLoopOptions;
  readonly #batcher = new Batcher<LiveStream>();
  readonly #vae: VaeCalls;
  readonly #preprocessing: Preprocessing;
  readonly #rests = new Rests();
  readonly #users = new UserCount();

  constructor(runtime: Networks, options: FrameLoopOptions) {
    this.#runtime = runtime;
    this.#options = options;
    this.#preprocessing = new Preprocessing(runtime, options);
    this.#vae = new VaeCalls(runtime, options, (stream, ms) => this.charge(stream, ms));
  }

  /** Adds a stream, with its frames under way if it was restored. */
  add(stream: LiveStream): void {
    this.#vae.add(stream);
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
    const picture = { ...size, data: new Uint8Array(3 * size.width * size.height) };
    const [isFinite] = await this.#runtime.decode([latent], [picture]);
    if (isFinite) stream.pictures.resultLeft(picture);
    else this.#options.post({ type: 'not_finite', part: 'vae_decoder' });
  }

  remove(stream: LiveStream): void {
    this.#vae.remove(stream);
    this.#batcher.remove(stream);
  }

  /** Charges milliseconds of other work for a stream to its share. */
  charge(stream: LiveStream, ms: number): void {
    this.#batcher.charge(stream, this.#options.prices.unitsOf(ms));
  }

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
    const streams = this.#vae.streams.filter((stream) => !(rests && this.#hasLongCalls(stream)));
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
    const entrants = shares.flatMap(({ source: stream, entries }) =>
      Array.from({ length: entries }, () => ({ stream, waiting: stream.takeEntry() })),
    );
    const placed = [
      ...shares.flatMap(({ source: stream, lanes }) => lanes.map((lane) => ({ stream, lane }))),
      ...(await this.#vae.enter(entrants)),
    ];
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

    const finished: Finished[] = [];
    let next = 0;
    for (const { stream, lane } of placed) {
      const [from, to] = [next, next + lane.rows.length];
      const own = predictions.slice(from, to);
      next = to;
      await this.#vae.orFail(stream, lane.frame, () => {
        if (!own.every(allFinite)) throw new NotFiniteError('unet');
        const latent = stream.absorb(lane, own, kept.slice(from, to));
        if (latent && !allFinite(latent)) throw new NotFiniteError('unet');
        if (latent) finished.push({ stream, frame: lane.frame, latent });
      });
    }
    await this.#vae.leave(finished);
    await this.#options.guard?.checkRest(this.#vae.chargeCheck);
    this.#restAfter(first.stream, begin);
    return true;
  }

  /** Starts a rest for streams with long calls if this call was long, for the sake of streams with short calls. */
  #restAfter(stream: LiveStream, begin: number): void {
    const now = performance.now();
    if (now - begin < longMs || !this.#hasLongCalls(stream)) return;
    const others = this.#vae.streams.filter((other) => !this.#hasLongCalls(other));
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
    const pictures = this.#vae.takeCosts();
    const expectedMs = expected.call(rows, shape, use) + pictures.expectedMs;
    post({ type: 'inference', rows, streams, ms, pictureMs: pictures.ms, expectedMs });
  }
}
