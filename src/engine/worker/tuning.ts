import { on } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import type { ParameterUpdate } from '@millrace/protocol';
import { Stream, type Conditioning } from '../../diffusion/stream.js';
import type { Latent } from '../../diffusion/types.js';
import { readModelFolder } from '../../model/folder.js';
import { ParameterError } from '../engine.js';
import type { Trial, TuningJob, TuningNews, TuningThreadData } from '../tuning.js';
import { noPrompt } from './conditioning/prompts.js';
import { NotFiniteError } from './networks/finite.js';
import { ModelRuntime } from './networks/runtime.js';
import { admissionOf, createPlan } from './planning/plan.js';
import { checkGuidance, checkSteering, promptSteering } from './planning/steering.js';

/** A picture as the networks take it, and how the reference draws it. */
interface Prepared {
  readonly clean: Latent;
  readonly positive: Conditioning;
  readonly reference: Latent;
}

/** The thread must end. */
class Stopped extends Error {}

/** The thread of `millrace tune`: draws pictures with changed parameters, and compares them with the reference. */
class Trials {
  readonly #runtime: ModelRuntime;
  readonly #job: TuningJob;
  readonly #negative: Conditioning;
  readonly #stop: TuningThreadData['stop'];
  /** By number of the picture. */
  readonly #prepared = new Map<number, Prepared>();

  private constructor(runtime: ModelRuntime, { job, stop }: TuningThreadData, negative: Conditioning) {
    this.#runtime = runtime;
    this.#job = job;
    this.#stop = stop;
    this.#negative = negative;
  }

  static async create(runtime: ModelRuntime, data: TuningThreadData): Promise<Trials> {
    const { negative_prompt: text } = data.job.parameters;
    const embedded = await runtime.embed(text);
    const isZero = text === '' && runtime.folder.zeroEmptyNegative;
    return new Trials(runtime, data, isZero ? noPrompt(embedded) : embedded);
  }

  /** Returns the relative error of a picture; null if it cannot be drawn so. */
  async error({ changes, picture }: Trial): Promise<number | null> {
    const { clean, positive, reference } = await this.#prepare(picture);
    try {
      const latent = await this.#draw(changes, picture, { clean, positive });
      const error = distance(latent, reference) / distance(reference);
      return Number.isFinite(error) ? error : null;
    } catch (error) {
      if (error instanceof ParameterError || error instanceof NotFiniteError) return null;
      throw error;
    }
  }

  async #prepare(number: number): Promise<Prepared> {
    const known = this.#prepared.get(number);
    if (known) return known;
    const { pictures, parameters, reference } = this.#job;
    const shown = pictures[number];
    if (shown === undefined) throw new RangeError(`there is no picture ${number}`);
    const { pixels, prompt } = shown;
    const clean = (await this.#runtime.encode(pixels, parameters)).slice();
    const positive = await this.#runtime.embed(prompt);
    const drawn = await this.#draw(reference, number, { clean, positive });
    const prepared = { clean, positive, reference: drawn };
    this.#prepared.set(number, prepared);
    return prepared;
  }

  /** Returns the finished latent. */
  async #draw(
    changes: ParameterUpdate,
    seed: number,
    { clean, positive }: Pick<Prepared, 'clean' | 'positive'>,
  ): Promise<Latent> {
    const { folder } = this.#runtime;
    const parameters = { ...this.#job.parameters, ...changes, seed };
    const plan = createPlan(this.#runtime, parameters);
    checkSteering(folder, parameters);
    checkGuidance(plan, parameters);
    const steering = promptSteering(folder, parameters, {
      positive,
      negative: this.#negative,
      second: null,
    });
    const stream = new Stream(plan, steering, admissionOf(parameters, 'sequential'));
    stream.admit(0, clean);
    for (;;) {
      const [lane] = stream.lanes();
      if (lane === undefined) throw new RangeError('the frame left without a result');
      const outputs: Latent[] = [];
      for (const row of lane.rows) {
        if (Atomics.load(this.#stop, 0) !== 0) throw new Stopped();
        outputs.push((await this.#runtime.predictOne(row, lane.shape)).slice());
      }
      const latent = stream.absorb(lane, outputs);
      if (latent) return latent.slice();
    }
  }
}

/** Returns the root of the sum of squares of the differences of two latents, or of the values of one. */
function distance(a: Latent, b?: Latent): number {
  let sum = 0;
  for (const [i, value] of a.entries()) sum += (value - (b?.[i] ?? 0)) ** 2;
  return Math.sqrt(sum);
}

async function main(port: NonNullable<typeof parentPort>, data: TuningThreadData): Promise<void> {
  const report = (news: TuningNews): void => port.postMessage(news);
  const { model, threads } = data.job;
  const folder = await readModelFolder(model);
  await using runtime = await ModelRuntime.load(folder, { threads }, (what) =>
    report({ type: 'loading', what }),
  );
  const trials = await Trials.create(runtime, data);
  try {
    for await (const [trial] of on(port, 'message') as AsyncIterable<readonly [Trial | null]>) {
      if (trial === null) break;
      report({ type: 'tried', number: trial.number, error: await trials.error(trial) });
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  } finally {
    port.close();
  }
}

if (parentPort === null) throw new Error('this file runs in a worker thread');
await main(parentPort, workerData as TuningThreadData);
