import type { CostCurve } from '../../costs.js';
import type { FrameInput } from '../../frame-input.js';
import type { EngineDropReason } from '../../messages.js';
import type { PromptEmbedder } from '../conditioning/prompt-embedder.js';
import type { StyleContext } from '../conditioning/style.js';
import type { Size } from '../networks/sizes.js';
import type { PlanModel } from '../planning/plan.js';
import type { BankMemory } from './bank-memory.js';
import type { WorkPrices } from './work-prices.js';

/** A frame that has not entered the stream yet. */
export interface WaitingFrame extends Size {
  readonly frame: number;
  readonly input: FrameInput;
  /** When it arrived, by performance.now(). */
  readonly arrivedAt: number;
  /** The input as it arrived, if pictures were made for it here since: work on it has begun. */
  readonly arrived?: FrameInput;
}

/** A stream's id, and the account whose share of the time it uses; null if it has its own share. */
export interface StreamName {
  readonly id: number;
  readonly account: string | null;
}

/** What all streams of an engine share. */
export interface StreamContext extends StyleContext {
  readonly model: PlanModel;
  readonly prompts: PromptEmbedder;
  readonly costs: CostCurve;
  /** Milliseconds to encode and decode one picture of the model's default size. */
  readonly pictureMs: number;
  readonly prices: Pick<WorkPrices, 'row' | 'picture' | 'preprocessed'>;
  readonly bankMemory: BankMemory;
  /** Called for every frame that will have no result. */
  drop(stream: number, waiting: WaitingFrame, reason: EngineDropReason): void;
}
