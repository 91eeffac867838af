import { differIn, type StreamParameters } from '@millrace/protocol';
import type { RowSource } from '../../../diffusion/batcher.js';
import { Gaussian } from '../../../diffusion/noise.js';
import { SimilarityFilter } from '../../../diffusion/similarity-filter.js';
import { Stream, type Lane, type Steering, type StreamState } from '../../../diffusion/stream.js';
import type { Plan } from '../../../diffusion/in-flight.js';
import type { EngineDropReason } from '../../messages.js';
import { Arrivals } from './arrivals.js';
import { DenoiseChoice } from './denoise-choice.js';
import { fitsPlan } from './fits-plan.js';
import { continueMotion, followMotion, motionIn, restoreMotion } from './follow-motion.js';
import { StreamPictures } from './stream-pictures.js';
import { allFinite } from '../networks/finite.js';
import { embedPrompts, MovingPrompt, type PromptPair } from '../conditioning/prompts.js';
import { guidanceConditioning } from '../networks/guidance-embedding.js';
import type { KeptRows } from '../networks/unet.js';
import { createPlan, guidanceOf } from '../planning/plan.js';
import { PictureSteering, type Style } from './picture-steering.js';
import type { StreamContext, StreamName, WaitingFrame } from './stream-context.js';
import type { Size } from '../networks/sizes.js';

/** Key of the similarity filter's random numbers, to separate them from the noise. */
const filterKey = 0x5353;

/** One session's stream in the worker: its parameters, waiting frames, and denoising state. */
export class LiveStream implements RowSource {
  readonly id: number;
  readonly account: string | undefined;
  readonly arrivals = new Arrivals();
  readonly denoise: DenoiseChoice;
  readonly pictures: StreamPictures;
  readonly steered: PictureSteering;
  readonly #context: StreamContext;
  #parameters: StreamParameters;
  readonly #stream: Stream;
  readonly #positive: MovingPrompt;
  readonly #negative: MovingPrompt;
  readonly #filter: SimilarityFilter;
  /** Oldest first. */
  #waiting: WaitingFrame[] = [];
  /** How many of the oldest waiting frames have passed the similarity filter. */
  #screened = 0;
  #lastFrame = -1;

  private constructor(
    { id, account }: StreamName,
    context: StreamContext,
    parameters: StreamParameters,
    plan: Plan,
    prompts: PromptPair,
    steered: PictureSteering,
  ) {
    this.id = id;
    this.account = account ?? undefined;
    this.#context = context;
    this.#parameters = parameters;
    this.denoise = new DenoiseChoice(context);
    this.pictures = new StreamPictures(context.model, parameters);
    this.#positive = new MovingPrompt(prompts.positive, context.padding);
    this.#negative = new MovingPrompt(prompts.negative, context.padding);
    this.steered = steered;
    steered.apply(parameters, plan);
    const steering = this.#steering(0, performance.now());
    this.#stream = new Stream(plan, steering, this.denoise.admission(parameters, plan));
    const seed = typeof parameters.seed === 'number' ? parameters.seed : (parameters.seed[0]?.seed ?? 0);
    const random = new Gaussian(seed, filterKey);
    this.#filter = new SimilarityFilter(() => random.uniform(), 127.5);
  }

  /** @throws {ParameterError} if the parameters are invalid. */
  static async open(
    name: StreamName,
    context: StreamContext,
    parameters: StreamParameters,
  ): Promise<LiveStream> {
    const plan = createPlan(context.model, parameters);
    const steered = new PictureSteering(name.id, context);
    steered.check(parameters, plan);
    const prompts = await embedPrompts(context, parameters);
    return new LiveStream(name, context, parameters, plan, prompts, steered);
  }

  get plan(): Plan {
    return this.#stream.plan;
  }

  /** Returns the state of the stream, without waiting frames. */
  snapshot(): StreamState {
    const now = performance.now();
    const positive = this.#positive.transition(now);
    const negative = this.#negative.transition(now);
    const state = this.#stream.snapshot();
    const noise = motionIn(this.plan, state.frames);
    return {
      ...state,
      ...(noise && { noise }),
      ...((positive ?? negative) && { transitions: { positive, negative } }),
    };
  }

  /** Continues from the state of a stream with the same parameters; frames of a different model are skipped. */
  restore({ ordinal, frames, finished, transitions, noise: moved }: StreamState): void {
    const fitting = frames.filter((frame) => fitsPlan(frame, this.#stream.plan));
    this.#stream.restore({ ordinal, frames: fitting, ...(finished && allFinite(finished) && { finished }) });
    if (moved) restoreMotion(this.#stream.plan, moved);
    this.#lastFrame = fitting.at(-1)?.frame ?? -1;
    const now = performance.now();
    if (transitions?.positive) this.#positive.resume(transitions.positive, now);
    if (transitions?.negative) this.#negative.resume(transitions.negative, now);
    this.#stream.steering = this.#steering(ordinal, now);
  }

  /** Size of the results. */
  get size(): Size {
    const { width, height } = this.#parameters;
    return { width, height };
  }

  /** Rows share a call only with rows of the same latent size, token count and U-Net. */
  get key(): string {
    const { encoder_hidden_states: text } = this.#stream.steering.positive;
    return `${this.#shape().join('x')} ${text.length} ${this.steered.kind}`;
  }

  get rowCost(): number {
    return this.#context.prices.row(this.key, this.#shape(), this.steered.isOn);
  }

  get pictureCost(): number {
    return this.#context.prices.picture(this.#shape());
  }

  /**
   * Changes the parameters.
   * @returns the first frame that they affect.
   * @throws {ParameterError} if they are invalid; nothing changes then.
   */
  async configure(parameters: StreamParameters): Promise<number> {
    const before = this.#parameters;
    const plan = differIn('plan', before, parameters)
      ? createPlan(this.#context.model, parameters)
      : this.#stream.plan;
    this.steered.check(parameters, plan);
    const { positive, negative } = await embedPrompts(this.#context, parameters);
    // Nothing below can fail.
    const now = performance.now();
    const way = {
      method: parameters.prompt_blend,
      length: { frames: parameters.transition_frames, seconds: parameters.transition_seconds },
      ordinal: this.#stream.ordinal,
      ms: now,
    };
    this.#positive.moveTo(positive, way);
    this.#negative.moveTo(negative, way);
    this.steered.apply(parameters, plan);
    continueMotion(this.#stream.plan, plan);
    this.#stream.plan = plan;
    this.#stream.admission = this.denoise.admission(parameters, plan);
    this.#parameters = parameters;
    this.pictures.parameters = parameters;
    this.#stream.steering = this.#steering(this.#stream.ordinal, now);
    this.#filter.reset();
    this.#screened = 0;
    this.#dropMisfits();
    const next = this.#waiting[0]?.frame ?? this.#lastFrame + 1;
    return differIn('steering', before, parameters) ? (this.#stream.oldestFrame ?? next) : next;
  }

  /** Changes the style image, for frames under way too; null removes it. */
  set style(style: Style | null) {
    this.steered.style = style;
    this.#stream.steering = this.#steering(this.#stream.ordinal, performance.now());
  }

  /** Adds a waiting frame; with `replace`, at most `frame_buffer_size` wait, and the oldest are dropped. */
  push(waiting: WaitingFrame, replace: boolean): void {
    this.#lastFrame = waiting.frame;
    this.arrivals.note(waiting.arrivedAt);
    this.denoise.isLive = replace;
    this.#waiting.push(waiting);
    const most = replace ? this.#parameters.frame_buffer_size : Infinity;
    while (this.#waiting.length > most) this.#dropOldest('superseded');
    this.#dropMisfits();
  }

  /** Decides which frames could enter now, applies the similarity filter to them, and drops similar ones. */
  screen(): void {
    const { similar_image_filter, similar_image_filter_threshold, similar_image_filter_max_skip_frame } =
      this.#parameters;
    this.#stream.admission = this.denoise.admission(this.#parameters, this.plan);
    const room = this.#stream.room();
    while (this.#screened < Math.min(room, this.#waiting.length)) {
      const pixels = this.#waiting[this.#screened]?.input.image?.data;
      const similar =
        similar_image_filter &&
        pixels != null &&
        this.#filter.isSimilar(pixels, similar_image_filter_threshold, similar_image_filter_max_skip_frame);
      if (!similar) {
        this.#screened += 1;
        continue;
      }
      const [skipped] = this.#waiting.splice(this.#screened, 1);
      if (skipped) this.#context.drop(this.id, skipped, 'similar');
    }
  }

  lanes(): readonly Lane[] {
    const shape = this.#shape().join('x');
    const fitting = this.#stream.lanes().filter((lane) => lane.shape.join('x') === shape);
    return fitting.map((lane) => this.steered.fill(lane));
  }

  entries(): readonly number[] {
    if (this.#stream.plan.shape.join('x') !== this.#shape().join('x')) return [];
    const count = Math.min(this.#stream.room(), this.#screened);
    return Array.from({ length: count }, () => this.#stream.entryRows);
  }

  /** Removes and returns the next frame to enter; later frames are compared with its pixels, and the noise follows. */
  takeEntry(): WaitingFrame {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) throw new RangeError('no frame is waiting');
    this.#screened -= 1;
    const { image } = waiting.input;
    if (image && this.#parameters.similar_image_filter) this.#filter.accept(image.data);
    if (image)
      followMotion(this.#stream.plan, this.#stream.ordinal, image, this.#context.model.folder.pixelFactor);
    return waiting;
  }

  /** Admits a frame returned by `takeEntry`, with the arguments of `Stream.admit`. @returns its lane. */
  admit(...entry: Parameters<Stream['admit']>): Lane {
    this.#stream.steering = this.#steering(this.#stream.ordinal, performance.now());
    return this.steered.fill(this.#stream.admit(...entry));
  }

  /**
   * @param kept what its rows computed for the attention bank.
   * @returns the finished latent after the last stage, valid until a frame is admitted; otherwise null.
   */
  absorb(lane: Lane, predictions: readonly Float32Array[], kept: KeptRows = []): Float32Array | null {
    this.steered.keep(lane, kept);
    return this.#stream.absorb(lane, predictions);
  }

  /** Discards a frame returned by `takeEntry`, for which a network failed. */
  discard(frame: number): void {
    this.#stream.discard(frame);
    this.pictures.forget();
    // It has no result that later frames could repeat.
    this.#filter.reset();
  }

  /** Removes and returns the waiting frames. */
  close(): readonly WaitingFrame[] {
    this.steered.close();
    this.#screened = 0;
    return this.#waiting.splice(0);
  }

  #shape(): readonly [number, number, number] {
    return this.#stream.oldestShape ?? this.#stream.plan.shape;
  }

  #steering(ordinal: number, now: number): Steering {
    const guidance = guidanceOf(this.#parameters);
    const [positive, negative] = this.#context.padding.align([
      this.#positive.at(ordinal, now),
      this.#negative.at(ordinal, now),
    ] as const);
    const { layout, selfGuided } = this.#context.model.folder;
    const guided = selfGuided && guidanceConditioning(layout.unet, guidance.scale);
    return this.steered.steer({
      guidance,
      positive: guided ? { ...positive, ...guided } : positive,
      negative,
    });
  }

  /** Drops waiting frames of a former size. */
  #dropMisfits(): void {
    const { width, height } = this.#parameters;
    const fits = (waiting: WaitingFrame): boolean => waiting.width === width && waiting.height === height;
    const all = this.#waiting;
    this.#waiting = all.filter(fits);
    for (const waiting of all) if (!fits(waiting)) this.#context.drop(this.id, waiting, 'stale');
  }

  #dropOldest(reason: EngineDropReason): void {
    const oldest = this.#waiting.shift();
    this.#screened = Math.max(0, this.#screened - 1);
    if (oldest) this.#context.drop(this.id, oldest, reason);
  }
}
