import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { repositoryRoot } from '../../support/reference.js';

export interface OriginalOptions {
  readonly program: string;
  readonly model: string;
  /** File of raw RGB pictures, one after another. */
  readonly frames: string;
  readonly side: number;
  readonly threads: number;
}

/** The original in a separate process, which is idle between the rounds. */
export class Original implements AsyncDisposable {
  readonly versions: string;
  readonly #process: ChildProcess;
  readonly #input: Writable;
  readonly #answers: AsyncIterator<string>;

  private constructor(
    process: ChildProcess,
    input: Writable,
    answers: AsyncIterator<string>,
    versions: string,
  ) {
    this.#process = process;
    this.#input = input;
    this.#answers = answers;
    this.versions = versions;
  }

  static async start({ program, model, frames, side, threads }: OriginalOptions): Promise<Original> {
    const script = join(repositoryRoot, 'test/bench/peer/original.py');
    const child = spawn(program, [script, model, frames, String(side), String(threads)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      // Keeps its threads from spinning during the turn of the other side.
      env: {
        ...process.env,
        OMP_NUM_THREADS: String(threads),
        OMP_WAIT_POLICY: 'passive',
        HF_HUB_OFFLINE: '1',
      },
    });
    const [input, output]: readonly [Writable, Readable] = [child.stdin, child.stdout];
    const answers = createInterface(output)[Symbol.asyncIterator]();
    const { torch, diffusers } = JSON.parse(await next(answers)) as Record<string, string>;
    return new Original(child, input, answers, `torch ${torch}, diffusers ${diffusers}`);
  }

  /** Runs a round. Returns the milliseconds of each frame, and the last picture as RGB bytes. */
  async round(
    count: number,
    indices: readonly number[],
  ): Promise<{ ms: readonly number[]; drawn: Uint8Array }> {
    this.#input.write(`${JSON.stringify([count, indices])}\n`);
    const { ms, drawn } = JSON.parse(await next(this.#answers)) as { ms: number[]; drawn: string };
    return { ms, drawn: await readFile(drawn) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null) return;
    this.#input.end();
    await once(this.#process, 'exit');
  }
}

async function next(answers: AsyncIterator<string>): Promise<string> {
  const answer: IteratorResult<string, unknown> = await answers.next();
  if (answer.done) throw new Error('the original exited early; see above');
  return answer.value;
}
