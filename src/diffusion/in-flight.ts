import type { NoiseSource } from './noise.js';
import type { History, Latent, PredictionType, Solver } from './types.js';

/** The settings that a frame keeps from its first stage to its last; a change applies from the next frame on. */
export interface Plan {
  readonly solver: Solver;
  /** The same solver for the stock noise: it adds noise between steps even if `do_add_noise` is false. */
  readonly stockSolver: Solver;
  readonly prediction: PredictionType;
  /** [channels, height, width] of the latent. */
  readonly shape: readonly [number, number, number];
  readonly noise: NoiseSource;
}

/** What a mask keeps of the input of a frame, as plain data. */
export interface Kept {
  /** How much of each position may change, from 0 (the input stays) to 1: [height, width] of the latent. Not written to. */
  readonly mask: Float32Array;
  /** The encoded input, without noise. */
  readonly original: Latent;
}

/** A frame under way, as plain data; without its own values, which are large: elsewhere it continues without them. */
export interface FrameState {
  readonly frame: number;
  /** Its index among all frames of the stream, from 0. */
  readonly ordinal: number;
  /** The stage whose prediction is due. */
  readonly stageIndex: number;
  /** In the solver's coordinates. */
  readonly sample: Latent;
  readonly history: History;
  /** Stock noise q of residual guidance, in units of unit Gaussian noise. */
  readonly stock: Latent;
  readonly stockHistory: History;
  /** Absent if all may change. */
  readonly kept?: Kept | undefined;
}

/** No values of its own. */
export const nothing: InFlight['own'] = {};

/** A frame under way with its memory, which is reused for later frames of the same plan. */
export interface InFlight extends FrameState {
  plan: Plan;
  frame: number;
  ordinal: number;
  stageIndex: number;
  history: History;
  stockHistory: History;
  kept?: Kept | undefined;
  /** What its rows get from its first stage to its last, by the name of the U-Net's input. */
  own: Readonly<Record<string, Float32Array>>;
  /** U-Net input, if it is not the sample itself. */
  readonly input: Latent;
  readonly eps: Float64Array;
  /** Predicted noise of the negative row. */
  readonly negative: Float64Array;
  /** Of the second of two composed prompts, and both composed; absent until there is one. */
  composed?: { readonly second: Float64Array; readonly eps: Float64Array };
}

export function createInFlight(plan: Plan): InFlight {
  const [channels, height, width] = plan.shape;
  const length = channels * height * width;
  const latent = (): Latent => new Float32Array(length);
  return {
    plan,
    frame: 0,
    ordinal: 0,
    stageIndex: 0,
    sample: latent(),
    history: plan.solver.createHistory(length),
    stock: latent(),
    stockHistory: plan.stockSolver.createHistory(length),
    own: nothing,
    input: latent(),
    eps: new Float64Array(length),
    negative: new Float64Array(length),
  };
}

/** Returns the state of a frame, as a copy. */
export function frameState(inFlight: InFlight): FrameState {
  const { frame, ordinal, stageIndex, kept } = inFlight;
  return {
    frame,
    ordinal,
    stageIndex,
    sample: inFlight.sample.slice(),
    history: copyHistory(inFlight.history),
    stock: inFlight.stock.slice(),
    stockHistory: copyHistory(inFlight.stockHistory),
    ...(kept && { kept: keep(kept.original, kept.mask) }),
  };
}

/** Creates a frame from its state. */
export function restoreFrame(plan: Plan, state: FrameState): InFlight {
  const inFlight = createInFlight(plan);
  inFlight.frame = state.frame;
  inFlight.ordinal = state.ordinal;
  inFlight.stageIndex = state.stageIndex;
  inFlight.sample.set(state.sample);
  inFlight.stock.set(state.stock);
  inFlight.history = { ...inFlight.history, ...copyHistory(state.history) };
  inFlight.stockHistory = { ...inFlight.stockHistory, ...copyHistory(state.stockHistory) };
  if (state.kept) inFlight.kept = keep(state.kept.original, state.kept.mask);
  return inFlight;
}

/**
 * Returns what a mask keeps of an input, as a copy.
 * @param former of the same size, whose memory is reused.
 */
export function keep(original: Latent, mask: Float32Array, former?: Kept): Kept {
  const copy = former?.original ?? new Float32Array(original.length);
  copy.set(original);
  return { mask, original: copy };
}

function copyHistory(history: History): History {
  return Object.fromEntries(
    Object.entries(history).map(([key, value]) => [key, typeof value === 'number' ? value : value.slice()]),
  );
}
