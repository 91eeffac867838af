import { defaultParameters, type StreamParameters } from '@millrace/protocol';
import {
  ExpectedCosts,
  frameWork,
  pictureBudget,
  rowBudget,
  type Costs,
  type MeasuredCosts,
} from '../../../src/engine/costs.js';
import { Capacity } from '../../../src/session/admission/capacity.js';

/** What a node can do, by its measured costs. */
export interface NodeModel {
  readonly slots: number;
  /** Frames per second that each of so many users gets whose cameras give `camera` frames per second, all the time. */
  framesEach(users: number, camera: number): number;
}

export interface NodeModelOptions extends MeasuredCosts {
  /** Promised frames per second. */
  readonly fps: number;
  /** Promised latency; 0 for none. */
  readonly latencySeconds: number;
  readonly most: number;
  readonly parameters?: StreamParameters;
}

/** Costs are those of pictures of the default size. */
const unit = [1, 1, 1] as const;

/** Returns what a server with these costs admits and computes, by the functions that it uses itself. */
export function nodeModel({
  fps,
  latencySeconds,
  most,
  parameters = defaultParameters(),
  ...measured
}: NodeModelOptions): NodeModel {
  const costs: Costs = { ...measured, rowBudget: rowBudget(measured.costs) };
  const slo = { fps, latencySeconds };
  const capacity = new Capacity({ slo, most, maxCallMs: 0, parameters, present: () => [] });
  capacity.calibrated({ ...costs, device: 'cpu', calibration: { at: new Date(0), isKept: true } });
  const rowsOfFrame = frameWork(costs, parameters).rows;
  const expected = new ExpectedCosts(costs, unit);
  return {
    slots: capacity.slots,
    framesEach(users, camera) {
      // Where cameras give more than the node can do, a frame of each user waits: all calls are as large as may be.
      const rows = Math.min(costs.rowBudget, users * rowsOfFrame);
      const frames = rows / rowsOfFrame;
      const together = Math.min(pictureBudget(costs), Math.ceil(frames));
      const ms = expected.call(rows, unit) + frames * expected.picture(unit, together);
      return Math.min(camera, (1000 * frames) / ms / users);
    },
  };
}
