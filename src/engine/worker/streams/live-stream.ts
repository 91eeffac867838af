import { differIn, type StreamParameters } from '@millrace/protocol';
import type { RowSource } from '../../../diffusion/batcher.js';
import { Stream, type Lane, type Steering, type StreamState } from '../../../diffusion/stream.js';
import type { Plan } from '../../../diffusion/in-flight.js';
import type { Image } from '../../../image/image.js';
import type { Mask } from '../../../image/mask.js';
import { Arrivals } from './arrivals.js';
import { DenoiseChoice } from './denoise-choice.js';
import { fitsPlan } from './fits-plan.js';
import { missingPreprocessor, neededPictures, supplied, type NeededPictures } from './missing-pictures.js';
import { continueMotion, followMotion, motionIn, restoreMotion } from './follow-motion.js';
import { StreamPictures } from './stream-pictures.js';
import { allFinite } from '../networks/finite.js';
import { MovingPrompt } from '../conditioning/moving-prompt.js';
import type { PromptPair } from '../conditioning/prompt-embedder.js';
import { embedStyle } from '../conditioning/style.js';
import type { KeptRows } from '../networks/unet.js';
import { createPlan } from '../planning/plan.js';
import { promptSteering } from '../planning/steering.js';
import { PictureSteering } from './picture-steering.js';
import type { StreamContext, StreamName, WaitingFrame } from './stream-context.js';
import { WaitingFrames } from './waiting-frames.js';
import type { Size } from '../networks/sizes.js';

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
  /** The second of two composed prompts; it changes at once. */
  #second: PromptPair['second'];
  readonly #waiting: WaitingFrames;
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
    this.#positive = new MovingPrompt(prompts.positive, context.prompts.padding);
    this.#negative = new MovingPrompt(prompts.negative, context.prompts.padding);
    this.#second = prompts.second;
    this.steered = steered;
    const steering = this.#steering(0, performance.now());
    this.#stream = new Stream(plan, steering, this.denoise.admission(parameters, plan));
    this.#waiting = new WaitingFrames(parameters, (waiting, reason) => context.drop(id, waiting, reason));
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
    const prompts = await context.prompts.embed(parameters);
    steered.apply(parameters, plan, await embedStyle(context, parameters));
    return new LiveStream(name, context, parameters, plan, prompts, steered);
  }

  get plan(): Plan {
    return this.#stream.plan;
  }

  /** The parameters in force; each change makes new ones. */
  get parameters(): StreamParameters {
    return this.#parameters;
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

  /** What it needs next shares a call only with what has the same key: rows, or pictures of one preprocessor. */
  get key(): string {
    const { width, height } = this.#parameters;
    const { preprocessor } = this;
    return preprocessor === null ? this.callKey : `preprocessor ${preprocessor} ${width}x${height}`;
  }

  /** Rows share a U-Net call only with rows of the same latent size, token count and U-Net. */
  get callKey(): string {
    const { encoder_hidden_states: text } = this.#stream.steering.positive;
    return `${this.#shape().join('x')} ${text.length} ${this.steered.kind}`;
  }

  get rowCost(): number {
    const { prices } = this.#context;
    if (this.preprocessor !== null) return prices.preprocessed(this.key, this.plan.shape);
    return prices.row(this.callKey, this.#shape(), this.steered.use);
  }

  get pictureCost(): number {
    return this.preprocessor === null ? this.#context.prices.picture(this.#shape()) : 0;
  }

  /** The preprocessor of the model that must make pictures before more frames enter; null if they lack none. */
  get preprocessor(): string | null {
    const needed = this.#needed;
    for (const { input } of this.#enterable()) {
      const missing = missingPreprocessor(input, needed);
      if (missing !== null) return missing;
    }
    return null;
  }

  /** The frames that may enter now but lack a picture of that preprocessor. */
  get lacking(): readonly WaitingFrame[] {
    const { preprocessor } = this;
    if (preprocessor === null) return [];
    const needed = this.#needed;
    return this.#enterable().filter(({ input }) => missingPreprocessor(input, needed) === preprocessor);
  }

  /** Gives a waiting frame a picture that it lacked. */
  supply(frame: number, made: { readonly preprocessor: string; readonly picture: Image }): void {
    const toMask = (picture: Image): Mask => this.pictures.maskOf(picture);
    this.#waiting.supply(frame, (input) => supplied(input, this.#needed, made, toMask));
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
    const { positive, negative, second } = await this.#context.prompts.embed(parameters);
    const style = await embedStyle(this.#context, parameters);
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
    this.#second = second;
    this.steered.apply(parameters, plan, style);
    continueMotion(this.#stream.plan, plan);
    this.#stream.plan = plan;
    this.#stream.admission = this.denoise.admission(parameters, plan);
    this.#parameters = parameters;
    this.pictures.parameters = parameters;
    this.#stream.steering = this.#steering(this.#stream.ordinal, now);
    this.#waiting.parameters = parameters;
    const next = this.#waiting.next?.frame ?? this.#lastFrame + 1;
    return differIn('steering', before, parameters) ? (this.#stream.oldestFrame ?? next) : next;
  }

  /** Adds a waiting frame; with `replace`, it may replace older ones. */
  push(waiting: WaitingFrame, replace: boolean): void {
    this.#lastFrame = waiting.frame;
    this.arrivals.note(waiting.arrivedAt);
    this.denoise.isLive = replace;
    this.#waiting.push(waiting, replace);
  }

  /** Decides which frames could enter now, applies the similarity filter to them, and drops similar ones. */
  screen(): void {
    this.#stream.admission = this.denoise.admission(this.#parameters, this.plan);
    this.#waiting.screen(this.#stream.room());
  }

  /** None while pictures must be made: the frames that get them would miss a call that they can share. */
  lanes(): readonly Lane[] {
    if (this.preprocessor !== null) return [];
    const shape = this.#shape().join('x');
    const fitting = this.#stream.lanes().filter((lane) => lane.shape.join('x') === shape);
    return fitting.map((lane) => this.steered.fill(lane));
  }

  entries(): readonly number[] {
    const { lacking } = this;
    return lacking.length > 0 ? lacking.map(() => 1) : this.#enterable().map(() => this.#stream.entryRows);
  }

  /** Removes and returns the next frame to enter; later frames are compared with it. */
  takeEntry(): WaitingFrame {
    return this.#waiting.take();
  }

  /** Lets the noise follow the picture of a frame that is about to be admitted. */
  follow(image: Image): void {
    followMotion(this.#stream, image, this.#context.model.folder.pixelFactor);
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

  /** Discards a frame for which a network failed. */
  discard(frame: number): void {
    this.#waiting.discard(frame);
    this.#stream.discard(frame);
    this.pictures.forget();
    this.steered.forget();
  }

  /** Removes and returns the waiting frames. */
  close(): readonly WaitingFrame[] {
    this.steered.close();
    return this.#waiting.clear();
  }

  get #needed(): NeededPictures {
    return neededPictures(this.steered.controls, this.#parameters);
  }

  /** Returns the frames that may enter now. */
  #enterable(): readonly WaitingFrame[] {
    if (this.#stream.plan.shape.join('x') !== this.#shape().join('x')) return [];
    return this.#waiting.screened(this.#stream.room());
  }

  #shape(): readonly [number, number, number] {
    return this.#stream.oldestShape ?? this.#stream.plan.shape;
  }

  #steering(ordinal: number, now: number): Steering {
    const moving = this.#positive.at(ordinal, now);
    const prompts = [moving, this.#negative.at(ordinal, now), this.#second ?? moving] as const;
    const [positive, negative, second] = this.#context.prompts.padding.align(prompts);
    const aligned = { positive, negative, second: this.#second && second };
    return this.steered.steer(promptSteering(this.#context.model.folder, this.#parameters, aligned));
  }
}
