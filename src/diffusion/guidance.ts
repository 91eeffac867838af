import type { Values } from './types.js';

/**
 * How the prompt is strengthened (StreamDiffusion section 3.2): `full` predicts a negative row for each row;
 * `self` and `initialize` (the paper's Self-Negative and Onetime-Negative RCFG) estimate the negative
 * prediction from the stock noise q, with no row or one row more.
 */
export type GuidanceType = 'none' | 'full' | 'self' | 'initialize';

export interface Guidance {
  readonly type: GuidanceType;
  /** 1 and below: no guidance, as in diffusers. */
  readonly scale: number;
  /** Scale of the virtual residual noise; `self` and `initialize` only. */
  readonly delta: number;
}

/** Whether predictions are changed at all. */
export function isActive(guidance: Guidance): boolean {
  return guidance.type !== 'none' && guidance.scale > 1;
}

/** Whether a row at this stage needs a negative row beside it. */
export function needsNegative(guidance: Guidance, stage: number): boolean {
  return isActive(guidance) && (guidance.type === 'full' || (guidance.type === 'initialize' && stage === 0));
}

/** Whether a stock noise travels with each row. It is kept up while the scale is 1, so that raising it is smooth. */
export function keepsStock(guidance: Guidance): boolean {
  return guidance.type === 'self' || guidance.type === 'initialize';
}

/**
 * eps <- v + scale * (eps - v), where v is the negative prediction (full) or delta times the stock noise
 * (equations 8 and 9 of the paper).
 */
export function guide(guidance: Guidance, eps: Values, negative: Values): void {
  const { scale, type } = guidance;
  const factor = type === 'full' ? 1 : guidance.delta;
  for (let i = 0; i < eps.length; i++) {
    const v = factor * negative[i];
    eps[i] = v + scale * (eps[i] - v);
  }
}
