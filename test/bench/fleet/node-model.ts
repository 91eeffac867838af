import { defaultParameters, type StreamParameters } from '@millrace/protocol';
import { frameWork, rowBudget, workTime, type Costs, type CostCurve } from '../../../src/engine/costs.js';
import { Capacity } from '../../../src/session/admission/capacity.js';

/** What a node can do, by its measured costs. */
export interface NodeModel {
  readonly slots: number;
  /** Frames per second that each of so many users gets whose cameras give `camera` frames per second. */
  framesEach(users: number, camera: number): number;
}

export interface NodeModelOptions {
  readonly unet: CostCurve;
  readonly pictureMs: number;
  /** Promised frames per second. */
  readonly fps: number;
  /** Promised latency; 0 for none. */
  readonly latencySeconds: number;
  readonly most: number;
  readonly parameters?: StreamParameters;
}

/** Returns what a server with these costs admits and computes, by the functions that it uses itself. */
export function nodeModel({
  unet,
  pictureMs,
  fps,
  latencySeconds,
  most,
  parameters = defaultParameters(),
}: NodeModelOptions): NodeModel {
  const costs: Costs = { costs: unet, pictureMs, rowBudget: rowBudget(unet) };
  const slo = { fps, latencySeconds };
  const capacity = new Capacity({ slo, most, maxCallMs: 0, parameters, present: () => [] });
  capacity.calibrated({ ...costs, device: 'cpu', calibration: { at: new Date(0), isKept: true } });
  const one = frameWork(costs, parameters);
  return {
    slots: capacity.slots,
    framesEach(users, camera) {
      const all = { rows: users * one.rows, pictureMs: users * one.pictureMs };
      return Math.min(camera, 1000 / workTime(costs, all).ms);
    },
  };
}
