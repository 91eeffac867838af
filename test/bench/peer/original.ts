import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from '../../support/reference.js';
import { LineProcess } from '../line-process.js';

export interface OriginalOptions {
  readonly program: string;
  readonly model: string;
  /** File of raw RGB pictures, one after another. */
  readonly frames: string;
  readonly side: number;
  readonly threads: number;
}

/** What a round measures. */
export interface Round {
  /** Milliseconds of each frame. */
  readonly ms: readonly number[];
  /** Milliseconds of processors for a frame, which other programs on the machine hardly change. */
  readonly cpuMs: number;
  /** The last picture, as RGB bytes. */
  readonly drawn: Uint8Array;
}

/** The original in a separate process, which is idle between the rounds. */
export class Original implements AsyncDisposable {
  readonly versions: string;
  readonly #process: LineProcess;

  private constructor(process: LineProcess, versions: string) {
    this.#process = process;
    this.versions = versions;
  }

  static async start({ program, model, frames, side, threads }: OriginalOptions): Promise<Original> {
    const script = join(repositoryRoot, 'test/bench/peer/original.py');
    const { process: started, first } = await LineProcess.start(
      'the original',
      [program, script, model, frames, String(side), String(threads)],
      // Keeps its threads from spinning during the turn of the other side.
      {
        ...process.env,
        OMP_NUM_THREADS: String(threads),
        OMP_WAIT_POLICY: 'passive',
        HF_HUB_OFFLINE: '1',
      },
    );
    const { torch, diffusers } = first as Record<string, string>;
    return new Original(started, `torch ${torch}, diffusers ${diffusers}`);
  }

  /** Runs a round of so many frames. */
  async round(count: number, indices: readonly number[]): Promise<Round> {
    const answer = await this.#process.ask([count, indices]);
    const { drawn, ...times } = answer as Omit<Round, 'drawn'> & { readonly drawn: string };
    return { ...times, drawn: await readFile(drawn) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}
