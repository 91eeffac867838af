import type { StreamParameters } from '@millrace/protocol';
import type { Engine } from '../engine/engine.js';
import { framesPerSecond } from '../engine/frames-per-second.js';

export interface CapacityOptions {
  /** Frames a second that a session is promised; 0 promises nothing. */
  readonly fps: number;
  /** Most sessions, whatever the engine can do. */
  readonly most: number;
  /** What a session is taken to ask for. */
  readonly parameters: StreamParameters;
}

/**
 * How many sessions can be served at the same time, by what calibration measured: frames that the engine makes in a
 * second over those that a session is promised. At least one. While the engine is being restarted, what it was before.
 */
export function createCapacity(engine: Engine, { fps, most, parameters }: CapacityOptions): () => number {
  let capacity = most;
  return () => {
    const { state } = engine;
    if (state.name === 'ready' && fps > 0) {
      const sessions = Math.floor(framesPerSecond(state, parameters) / fps);
      capacity = Math.min(most, Math.max(1, sessions));
    }
    return capacity;
  };
}
