import type { StreamParameters } from '@millrace/protocol';
import type { Engine } from '../engine/engine.js';
import { rowsPerSecond } from '../engine/rows-per-second.js';

export interface CapacityOptions {
  /** Frames a second that a session is promised; 0 promises nothing. */
  readonly fps: number;
  /** Most sessions, whatever the engine can do. */
  readonly most: number;
  /** What a session is taken to ask for. */
  readonly parameters: StreamParameters;
}

/**
 * How many sessions can be served at the same time, by what calibration measured: rows of U-Net calls a second over
 * those that a session needs. At least one. While the engine is being restarted, what it was before.
 */
export function createCapacity(engine: Engine, { fps, most, parameters }: CapacityOptions): () => number {
  const needed = fps * rowsPerFrame(parameters);
  let capacity = most;
  return () => {
    const { state } = engine;
    if (state.name === 'ready' && needed > 0) {
      capacity = Math.min(most, Math.max(1, Math.floor(rowsPerSecond(state) / needed)));
    }
    return capacity;
  };
}

function rowsPerFrame({ steps, t_index_list: list, cfg_type }: StreamParameters): number {
  return (list?.length ?? steps) * (cfg_type === 'full' ? 2 : 1);
}
