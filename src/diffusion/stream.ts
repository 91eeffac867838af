import type { BlendMethod } from './blend.js';
import { Feedback } from './feedback.js';
import { guide, isActive, keepsStock, rowCount } from './guidance.js';
import {
  createInFlight,
  frameState,
  keep,
  nothing,
  restoreFrame,
  type FrameState,
  type InFlight,
  type Plan,
} from './in-flight.js';
import { putBack } from './mask.js';
import type { MovingNoiseState } from './moving-noise.js';
import { composeFrame } from './composed-frame.js';
import { predictedNoise } from './prediction.js';
import { rowsOf, type Conditioning, type Row, type RowValues, type Steering } from './rows.js';
import type { TransitionLength } from './transition.js';
import type { Latent, Values } from './types.js';
import { writeWeightedSum } from './weighted-sum.js';

export type { Conditioning, Row, RowValues, Steering };

/**
 * How frames follow each other. `stream` (the paper's stream batch, section 3.1): a new frame enters while older
 * ones are at later stages. `sequential`: a frame enters when none is under way. Up to `frameBufferSize` frames
 * enter together.
 */
export interface Admission {
  readonly denoise: 'stream' | 'sequential';
  readonly frameBufferSize: number;
  /** Share of the latent that finished last in the latent of a frame that enters, from 0 to below 1; 0 if absent. */
  readonly feedback?: number;
  /** Whether snapshots have the latent that finished last without such feedback too. */
  readonly keepsFinished?: boolean;
}

/** The rows of one frame that must be predicted before it advances a stage: the negative one first, the positive last. */
export interface Lane {
  readonly frame: number;
  readonly stageIndex: number;
  readonly shape: readonly [number, number, number];
  readonly rows: readonly Row[];
}

/** Intermediate values of one advance, for comparison with other implementations. */
export interface Trace {
  readonly stageIndex: number;
  /** Predicted noise after guidance. */
  readonly eps: Values;
  /** Stock noise that guidance used. */
  readonly stock: Latent;
}

/** A transition from a former prompt to the current one, as plain data. */
export interface PromptTransition {
  readonly from: Conditioning;
  readonly method: BlendMethod;
  readonly length: TransitionLength;
  /** The frame with which it began. */
  readonly ordinal: number;
  /** Milliseconds since it began. */
  readonly elapsedMs: number;
}

/** A stream between two U-Net calls, as plain data that can move to another node. */
export interface StreamState {
  readonly ordinal: number;
  /** Oldest first. */
  readonly frames: readonly FrameState[];
  /** The latent that finished last, if there is feedback, of latents or of their pictures. */
  readonly finished?: Latent;
  /** The noise, if it moves with the picture. */
  readonly noise?: MovingNoiseState;
  /** Prompts in transition; absent if there are none. */
  readonly transitions?: {
    readonly positive: PromptTransition | null;
    readonly negative: PromptTransition | null;
  };
}

/**
 * The denoising of one session: frames enter noised, advance a stage per U-Net call, and leave clean. Each frame
 * carries everything that it needs, so frames under way neither mix nor wait for each other, they finish when the input
 * stops, and the first result is valid.
 */
export class Stream {
  #plan: Plan;
  #ordinal = 0;
  /** Frames under way, oldest first. */
  readonly #frames: InFlight[] = [];
  /** Memory of finished frames of the current plan. */
  #free: InFlight[] = [];
  readonly #feedback = new Feedback();
  steering: Steering;
  admission: Admission;

  constructor(plan: Plan, steering: Steering, admission: Admission) {
    this.#plan = plan;
    this.steering = steering;
    this.admission = admission;
  }

  get plan(): Plan {
    return this.#plan;
  }

  /** Frames under way keep the plan that they entered with. */
  set plan(plan: Plan) {
    if (plan !== this.#plan) this.#free = [];
    if (!haveSameShape(plan, this.#plan)) this.#feedback.state = null;
    this.#plan = plan;
  }

  /** Number of frames admitted so far, which is the ordinal of the next one. */
  get ordinal(): number {
    return this.#ordinal;
  }

  /** The oldest frame under way, or null. */
  get oldestFrame(): number | null {
    return this.#frames[0]?.frame ?? null;
  }

  /** The ordinal of the oldest frame under way; of the next one if there is none. */
  get oldestOrdinal(): number {
    return this.#frames[0]?.ordinal ?? this.#ordinal;
  }

  /** Latent shape of the oldest frame under way, or null. */
  get oldestShape(): Plan['shape'] | null {
    return this.#frames[0]?.plan.shape ?? null;
  }

  /** Returns how many frames may enter now. */
  room(): number {
    let entering = 0;
    for (const { stageIndex } of this.#frames) if (stageIndex === 0) entering += 1;
    if (this.admission.denoise === 'sequential' && entering < this.#frames.length) return 0;
    return Math.max(0, this.admission.frameBufferSize - entering);
  }

  /** Rows of a frame in its first U-Net call. */
  get entryRows(): number {
    return rowCount(this.steering.guidance, 0, this.steering.composed !== undefined);
  }

  /**
   * Admits a frame.
   * @param id unique among the frames under way.
   * @param latent the encoded image (img2img: it is noised to the first stage), or null to start from noise (txt2img).
   * @param own what belongs to this frame alone; its rows get it at all stages.
   * @param mask how much of each position of the latent may change, [height, width], from 0 to 1; null for all. It must
   *   not be written to while the frame is under way.
   * @returns its rows of the first stage.
   */
  admit(id: number, latent: Latent | null, own: RowValues = nothing, mask: Float32Array | null = null): Lane {
    const { solver, noise } = this.#plan;
    const frame = this.#free.pop() ?? createInFlight(this.#plan);
    frame.frame = id;
    frame.own = own;
    frame.ordinal = this.#ordinal++;
    frame.stageIndex = 0;
    frame.kept = latent && mask ? keep(latent, mask, frame.kept) : undefined;
    const { a, b, inputScale } = solver.stages[0];
    const { sample } = frame;
    if (latent === null) {
      const start = noise.start(frame.ordinal);
      for (let i = 0; i < sample.length; i++) sample[i] = start[i] * solver.initNoiseSigma;
    } else {
      const z = noise.at(0, frame.ordinal);
      // Mean-reverting diffusion keeps the input as a whole, in place of what it takes from the picture behind it.
      const signal = solver.revertsToMean ? 1 : a;
      const start = this.#feedback.mix(latent, this.admission.feedback ?? 0, mask);
      writeWeightedSum(sample, signal / inputScale, start, b / inputScale, z);
    }
    if (solver.revertsToMean) setMean(frame, latent);
    // At the first stage the noise in the frame is known: it is z_0 (paper, section 3.2).
    frame.stock.set(noise.at(0, frame.ordinal));
    this.#frames.push(frame);
    return this.#lane(frame);
  }

  /**
   * Returns the rows to predict for the frames under way, oldest first. Lanes can be absorbed independently. The rows
   * use the memory of their frames, which the next call overwrites.
   */
  lanes(): readonly Lane[] {
    return this.#frames.map((frame) => this.#lane(frame));
  }

  /**
   * Advances one frame by one stage.
   * @param predictions raw U-Net outputs, one for each row of the lane.
   * @returns the finished latent if this was the last stage, valid until a frame is admitted; otherwise null.
   * @throws {RangeError} if the lane's frame is not under way.
   */
  absorb(lane: Lane, predictions: readonly Latent[], trace?: (trace: Trace) => void): Latent | null {
    const frame = this.#frames.find((candidate) => candidate.frame === lane.frame);
    if (frame === undefined) throw new RangeError(`frame ${lane.frame} is not under way`);
    const { plan, stageIndex, sample, eps, stock, history } = frame;
    const { guidance, composed } = this.steering;
    const stage = plan.solver.stages[stageIndex];
    const predictionFor = (role: Row['role']): Latent | undefined =>
      predictions[lane.rows.findIndex((row) => row.role === role)];

    predictedNoise(plan.prediction, stage, sample, predictions[lane.rows.length - 1], eps);
    const away = predictionFor('negative');
    if (away) {
      // Onetime-negative guidance starts its stock noise from a real negative prediction, once per frame.
      const negative = guidance.type === 'initialize' ? stock : frame.negative;
      predictedNoise(plan.prediction, stage, sample, away, negative);
    }
    const noise = plan.noise.at(stageIndex + 1, frame.ordinal);
    const second = predictionFor('second');
    if (second && composed)
      composeFrame(frame, second, { noise, guidance, composition: composed.composition });
    else if (isActive(guidance)) guide(guidance, eps, guidance.type === 'full' ? frame.negative : stock);
    trace?.({ stageIndex, eps, stock });

    frame.stageIndex += 1;
    if (keepsStock(guidance)) advanceStock(frame, stageIndex, noise);
    plan.solver.step({ stage: stageIndex, sample, eps, noise, history, out: sample });
    putBack(frame, keepsStock(guidance));
    return frame.stageIndex < plan.solver.stages.length ? null : this.#finish(frame);
  }

  /** Discards a frame, also one that has just finished, without an effect on other frames. */
  discard(id: number): void {
    const index = this.#frames.findIndex(({ frame }) => frame === id);
    if (index >= 0) this.#frames.splice(index, 1);
    // It may be what finished last.
    this.#feedback.state = null;
  }

  /** Returns a copy of the state, with the frames under way that have the current plan. */
  snapshot(): StreamState {
    const frames = this.#frames.filter(({ plan }) => plan === this.#plan);
    const { feedback = 0, keepsFinished = false } = this.admission;
    const finished = feedback > 0 || keepsFinished ? this.#feedback.state : null;
    return { ordinal: this.#ordinal, frames: frames.map(frameState), ...(finished && { finished }) };
  }

  /** Restores a snapshot, which must be of a plan with the same solver and size. */
  restore(state: StreamState): void {
    this.#ordinal = state.ordinal;
    this.#feedback.state = state.finished ?? null;
    this.#frames.splice(
      0,
      this.#frames.length,
      ...state.frames.map((frame) => restoreFrame(this.#plan, frame)),
    );
  }

  #lane(inFlight: InFlight): Lane {
    const { plan, frame, stageIndex } = inFlight;
    return { frame, stageIndex, shape: plan.shape, rows: rowsOf(inFlight, this.steering) };
  }

  #finish(frame: InFlight): Latent {
    this.#frames.splice(this.#frames.indexOf(frame), 1);
    if (haveSameShape(frame.plan, this.#plan)) this.#feedback.keep(frame.sample);
    frame.own = nothing;
    if (frame.plan === this.#plan) this.#free.push(frame);
    return frame.sample;
  }
}

/** Sets what the samples of a frame revert to: its input, or nothing. */
function setMean({ history: { mean } }: InFlight, latent: Latent | null): void {
  if (typeof mean === 'number' || mean === undefined) return;
  if (latent) mean.set(latent);
  else mean.fill(0);
}

function haveSameShape(a: Plan, b: Plan): boolean {
  return a.shape.every((size, axis) => size === b.shape[axis]);
}

/**
 * Moves the stock noise to the next stage. The noise part of a sample, (b / inputScale) q, obeys the same linear
 * step as the sample itself; for LCM this is the paper's equation for the virtual residual noise.
 */
function advanceStock(frame: InFlight, stageIndex: number, noise: Latent): void {
  const { stockSolver } = frame.plan;
  const next = stockSolver.stages[stageIndex + 1];
  if (next === undefined) return;
  const { b, inputScale } = stockSolver.stages[stageIndex];
  const { stock, eps, stockHistory: history } = frame;
  for (let i = 0; i < stock.length; i++) stock[i] *= b / inputScale;
  stockSolver.step({ stage: stageIndex, sample: stock, eps, noise, history, out: stock });
  for (let i = 0; i < stock.length; i++) stock[i] *= next.inputScale / next.b;
}
