import { join } from 'node:path';
import type { Device } from '../../../src/engine/device.js';
import { repositoryRoot } from '../../support/reference.js';
import { LineProcess } from '../line-process.js';
import { exportPython } from '../python-environment.js';

const script = join(repositoryRoot, 'test/bench/device/torch_side.py');

/** Medians of the milliseconds of each part of a frame, and frames per second. */
export interface StageTimes {
  readonly encodeMs: number;
  /** Of one call with a row for each step. */
  readonly unetMs: number;
  readonly decodeMs: number;
  readonly fps: number;
}

/** What torch says of itself. */
interface TorchFacts {
  readonly versions: string;
  /** The name of the device. */
  readonly device: string;
}

export type TorchTimes = StageTimes & TorchFacts;

/** The same model in torch, in a separate process. */
export class TorchSide implements AsyncDisposable {
  readonly #process: LineProcess;
  readonly #facts: TorchFacts;

  private constructor(process: LineProcess, facts: TorchFacts) {
    this.#process = process;
    this.#facts = facts;
  }

  /**
   * Loads the model.
   * @param side of the pictures.
   * @throws {Error} that says why it cannot be measured here.
   */
  static async start(
    folder: string,
    { provider, index }: Device,
    { side, threads }: { readonly side: number; readonly threads: number },
  ): Promise<TorchSide> {
    const python = await exportPython();
    if ('missing' in python) throw new Error(python.missing);
    const isNvidia = provider === 'cuda' || provider === 'tensorrt';
    if (!isNvidia && provider !== 'cpu') throw new Error(`torch is not measured beside ${provider}`);
    const command = [script, folder, isNvidia ? 'cuda' : 'cpu', String(side), String(threads)];
    const env = {
      ...process.env,
      ...(isNvidia && { CUDA_VISIBLE_DEVICES: String(index) }),
      HF_HUB_OFFLINE: '1',
      // Keeps its threads from spinning.
      OMP_WAIT_POLICY: 'passive',
    };
    const { process: started, first } = await LineProcess.start('torch', [python.program, ...command], env);
    return new TorchSide(started, first as TorchFacts);
  }

  /** Measures frames of these many steps for some seconds. */
  async measure(steps: number, seconds: number): Promise<TorchTimes> {
    const timesteps = Array.from({ length: steps }, (_, i) => Math.round(499 * (1 - i / steps)));
    const times = (await this.#process.ask({ timesteps, seconds })) as StageTimes;
    return { ...times, ...this.#facts };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}
