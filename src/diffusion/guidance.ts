import type { Values } from './types.js';

/**
 * How the prompt is strengthened (StreamDiffusion section 3.2): `full` predicts a negative row for each row; `self` and
 * `initialize` (the paper's Self-Negative and Onetime-Negative RCFG) estimate the negative prediction from the stock
 * noise q, with no extra row or with one per frame.
 */
export type GuidanceType = 'none' | 'full' | 'self' | 'initialize';

export interface Guidance {
  readonly type: GuidanceType;
  /** 1 and below: no guidance, as in diffusers. */
  readonly scale: number;
  /** Scale of the virtual residual noise; `self` and `initialize` only. */
  readonly delta: number;
}

/** Returns whether guidance changes predictions. */
export function isActive(guidance: Guidance): boolean {
  return guidance.type !== 'none' && guidance.scale > 1;
}

/** Returns whether a row at this stage needs a negative row. */
export function needsNegative(guidance: Guidance, stage: number): boolean {
  return isActive(guidance) && (guidance.type === 'full' || (guidance.type === 'initialize' && stage === 0));
}

/**
 * Returns how many rows a frame needs at this stage.
 * @param composed whether two prompts are composed by their predictions.
 */
export function rowCount(guidance: Guidance, stage: number, composed: boolean): number {
  return 1 + (composed ? 1 : 0) + (needsNegative(guidance, stage) ? 1 : 0);
}

/** Returns whether frames carry stock noise. It is also updated at scale 1, so that raising the scale is smooth. */
export function keepsStock(guidance: Guidance): boolean {
  return guidance.type === 'self' || guidance.type === 'initialize';
}

/**
 * Applies guidance: eps <- v + scale * (eps - v), where v is the negative prediction (full) or delta times the stock
 * noise (equations 8 and 9 of the paper).
 */
export function guide(guidance: Guidance, eps: Values, negative: Values): void {
  const { scale, type } = guidance;
  const factor = type === 'full' ? 1 : guidance.delta;
  for (let i = 0; i < eps.length; i++) {
    const v = factor * negative[i];
    eps[i] = v + scale * (eps[i] - v);
  }
}
