import { join } from 'node:path';
import { asError } from '../../../src/engine/as-error.js';
import { deviceName, type Device } from '../../../src/engine/device.js';
import { ModelRuntime } from '../../../src/engine/worker/networks/runtime.js';
import { readModelFolder } from '../../../src/model/folder.js';
import { startEngine } from '../../support/engine.js';
import type { PreparedModel } from './model.js';
import type { Scale } from './options.js';
import type { Progress } from './progress.js';
import { measureNetworks, measurePace, type NetworkTimes, type Pace } from './stages.js';
import { TorchSide, type TorchTimes } from './torch-side.js';
import { measureUsers, startDeviceServer, type UserFigures } from './users.js';

/** What is known of frames with a number of steps; null for what was not measured. */
export interface StepResults {
  readonly steps: number;
  readonly networks: NetworkTimes | null;
  /** One user whose frames share calls. */
  readonly stream: Pace | null;
  /** One whose frames are denoised one after another. */
  readonly sequential: Pace | null;
  readonly torch: TorchTimes | null;
}

export interface DeviceResults {
  readonly steps: readonly StepResults[];
  readonly users: readonly { readonly users: number; readonly figures: UserFigures | null }[];
  /** Why torch was not measured; null if it was. */
  readonly noTorch: string | null;
}

export interface Subject {
  readonly model: PreparedModel;
  readonly device: Device;
  readonly threads: number;
  /** Side of the pictures, in pixels. */
  readonly side: number;
}

/** Measures all that is not known yet: the networks alone, the engine, torch, and a server with users. */
export async function measureDevice(
  subject: Subject,
  { steps, users, seconds }: Scale,
  progress: Progress,
): Promise<DeviceResults> {
  const { model, device, threads, side } = subject;
  // Calibration is kept with the model, so that only the first start measures.
  const engine = { device: deviceName(device), threads, cacheDirectory: join(model.folder, 'measured') };
  const networks = await progress.measure({
    items: named(steps, 'networks'),
    open: async () => ModelRuntime.load(await readModelFolder(model.exported), { device, threads }),
    measure: (runtime, count) => measureNetworks(runtime, count, { side, seconds }),
  });
  const modes = ['stream', 'sequential'] as const;
  const paces = await progress.measure({
    items: new Map(
      modes.flatMap((denoise) =>
        steps.map((count) => [`${denoise}, ${count} steps`, { steps: count, denoise }] as const),
      ),
    ),
    open: () => startEngine(model.exported, engine),
    measure: (run, how) => measurePace(run, how, { side, seconds }),
  });
  let noTorch: string | null = null;
  const torch = await progress
    .measure({
      items: named(steps, 'torch'),
      open: () => TorchSide.start(model.torch, device, { side, threads }),
      measure: (side, count) => side.measure(count, seconds),
    })
    .catch((error: unknown) => {
      noTorch = asError(error).message;
      return [];
    });
  const served = await progress.measure({
    items: new Map(users.map((count) => [`${count} users`, count])),
    open: () => startDeviceServer(model.exported, engine),
    measure: (server, count) => measureUsers(server, count, { side, seconds }),
  });
  return {
    steps: steps.map((count, i) => ({
      steps: count,
      networks: networks[i] ?? null,
      stream: paces[i] ?? null,
      sequential: paces[steps.length + i] ?? null,
      torch: torch[i] ?? null,
    })),
    users: users.map((count, i) => ({ users: count, figures: served[i] ?? null })),
    noTorch,
  };
}

function named(steps: readonly number[], what: string): ReadonlyMap<string, number> {
  return new Map(steps.map((count) => [`${what}, ${count} steps`, count]));
}
