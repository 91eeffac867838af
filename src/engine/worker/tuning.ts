import { on } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import type { ParameterUpdate } from '@millrace/protocol';
import { Gaussian } from '../../diffusion/gaussian.js';
import { createNoiseSchedule } from '../../diffusion/schedule.js';
import { followPath } from '../../diffusion/solvers/measure-statistics.js';
import { stageAt } from '../../diffusion/solvers/paths/timesteps.js';
import { Stream, type Conditioning } from '../../diffusion/stream.js';
import type { Latent, Stage } from '../../diffusion/types.js';
import { readModelFolder } from '../../model/folder.js';
import { ParameterError } from '../engine.js';
import type {
  PathRequest,
  Trial,
  TuningJob,
  TuningNews,
  TuningQuestion,
  TuningThreadData,
} from '../tuning.js';
import { PromptEmbedder } from './conditioning/prompt-embedder.js';
import { guidedNoise } from './guided-noise.js';
import { NotFiniteError } from './networks/finite.js';
import { ModelRuntime } from './networks/runtime.js';
import { admissionOf, createPlan } from './planning/plan.js';
import { checkGuidance, checkSteering, promptSteering } from './planning/steering.js';

/** Length of differences for derivatives: networks compute in single precision, so smaller ones drown in rounding. */
const difference = 0.05;

/** A picture as the networks take it, and how the reference draws it. */
interface Prepared {
  readonly clean: Latent;
  readonly positive: Conditioning;
  readonly reference: Latent;
}

/** The thread must end. */
class Stopped extends Error {}

/**
 * The thread of `millrace tune`: draws pictures with changed parameters and compares them with the reference, or follows
 * them along the model's ODE.
 */
class Trials {
  readonly #runtime: ModelRuntime;
  readonly #job: TuningJob;
  readonly #prompts: PromptEmbedder;
  readonly #negative: Conditioning;
  readonly #stop: TuningThreadData['stop'];
  /** By number of the picture. */
  readonly #prepared = new Map<number, Prepared>();

  private constructor(
    runtime: ModelRuntime,
    { job, stop }: TuningThreadData,
    prompts: PromptEmbedder,
    negative: Conditioning,
  ) {
    this.#runtime = runtime;
    this.#prompts = prompts;
    this.#job = job;
    this.#stop = stop;
    this.#negative = negative;
  }

  static async create(runtime: ModelRuntime, data: TuningThreadData): Promise<Trials> {
    const prompts = await PromptEmbedder.create(runtime);
    return new Trials(
      runtime,
      data,
      prompts,
      await prompts.embedNegative(data.job.parameters.negative_prompt),
    );
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

  /** Returns the moments of a picture along the model's ODE. @param onProgress after each value of lambda. */
  async path(
    { picture, seed, intervals }: PathRequest,
    onProgress: (done: number, total: number) => void,
  ): Promise<Float64Array> {
    const { parameters } = this.#job;
    const { cfg_type, guidance_scale } = parameters;
    const { clean, positive } = await this.#read(picture);
    const schedule = createNoiseSchedule(this.#runtime.folder.scheduler);
    const { a, b } = stageAt(schedule, schedule.alphasCumprod.length - 1);
    const random = new Gaussian(seed);
    const start = Float64Array.from(clean, (value) => a * value + b * random.next());
    const predict = guidedNoise(this.#runtime, {
      size: parameters,
      negative: this.#negative,
      guidanceScale: cfg_type === 'full' ? guidance_scale : 1,
    });
    const ask = async (sample: Float64Array, stage: Stage): Promise<Float64Array> => {
      this.#checkStop();
      return predict(sample, stage, positive);
    };
    const options = { intervals, pooled: true, difference, number: seed, onProgress };
    return followPath(schedule, start, ask, options);
  }

  /** @throws {Stopped} if the thread must end. */
  #checkStop(): void {
    if (Atomics.load(this.#stop, 0) !== 0) throw new Stopped();
  }

  /** Returns a picture as the networks take it. */
  async #read(number: number): Promise<Pick<Prepared, 'clean' | 'positive'>> {
    const { pictures, parameters } = this.#job;
    const shown = pictures[number];
    if (shown === undefined) throw new RangeError(`there is no picture ${number}`);
    const clean = (await this.#runtime.encodeOne(shown.pixels, parameters)).slice();
    return { clean, positive: await this.#prompts.embedPositive(shown.prompt) };
  }

  async #prepare(number: number): Promise<Prepared> {
    const known = this.#prepared.get(number);
    if (known) return known;
    const shown = await this.#read(number);
    const prepared = { ...shown, reference: await this.#draw(this.#job.reference, number, shown) };
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
        this.#checkStop();
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
  const { model, threads, statistics } = data.job;
  const folder = await readModelFolder(model);
  const scheduler = { ...folder.scheduler, ...(statistics && { statistics }) };
  await using runtime = await ModelRuntime.load({ ...folder, scheduler }, { threads }, (what) =>
    report({ type: 'loading', what }),
  );
  const trials = await Trials.create(runtime, data);
  try {
    for await (const [question] of on(port, 'message') as AsyncIterable<readonly [TuningQuestion]>) {
      if (question === null) break;
      const { number } = question;
      if (question.type === 'trial') report({ type: 'tried', number, error: await trials.error(question) });
      else {
        const onProgress = (done: number, total: number): void =>
          report({ type: 'following', number, done, total });
        report({ type: 'followed', number, moments: await trials.path(question, onProgress) });
      }
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  } finally {
    port.close();
  }
}

if (parentPort === null) throw new Error('this file runs in a worker thread');
await main(parentPort, workerData as TuningThreadData);
