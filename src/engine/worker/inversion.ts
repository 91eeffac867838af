import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { BdiaInversion, type NoisePredictor } from '../../diffusion/bdia-inversion.js';
import { createNoiseSchedule } from '../../diffusion/schedule.js';
import { stageAt } from '../../diffusion/solvers/paths/timesteps.js';
import { readModelFolder } from '../../model/folder.js';
import type { EditedPicture, InversionJob, InversionNews } from '../inversion.js';
import { PromptEmbedder } from './conditioning/prompt-embedder.js';
import { guidedNoise } from './guided-noise.js';
import { ModelRuntime } from './networks/runtime.js';

/**
 * The thread of `millrace invert`: finds the noise of a picture under one prompt, and goes back from it under another.
 * Under the same prompt, the way back ends at the picture, as the VAE shows it.
 */
async function edit(job: InversionJob, report: (news: InversionNews) => void): Promise<EditedPicture> {
  const folder = await readModelFolder(job.model);
  await using runtime = await ModelRuntime.load(folder, { threads: job.threads }, (what) =>
    report({ type: 'loading', what }),
  );
  const schedule = createNoiseSchedule(folder.scheduler);
  const inversion = new BdiaInversion(schedule, job.steps, job.gamma);
  const prompts = await PromptEmbedder.create(runtime);
  const negative = await prompts.embedNegative(job.negativePrompt);
  const predict = guidedNoise(runtime, { ...job, negative });
  const total = 2 * (job.steps - 1);
  let calls = 0;
  const predictorOf = async (prompt: string): Promise<NoisePredictor> => {
    const positive = await prompts.embedPositive(prompt);
    return async (sample, timestep) => {
      report({ type: 'calling', calls: calls++, total });
      return predict(sample, stageAt(schedule, timestep), positive);
    };
  };

  const clean = Float64Array.from(await runtime.encodeOne(job.pixels, job.size));
  const pair = await inversion.invert(clean, await predictorOf(job.prompt));
  const latent = await inversion.sample(pair, await predictorOf(job.edit));
  const pixels = new Uint8ClampedArray(3 * job.size.width * job.size.height);
  await runtime.decodeOne(Float32Array.from(latent), job.size, pixels);
  const deviation = latent.reduce((most, value, i) => Math.max(most, Math.abs(value - (clean[i] ?? 0))), 0);
  return { pixels: new Uint8Array(pixels.buffer), deviation, calls };
}

if (parentPort === null) throw new Error('this file runs in a worker thread');
const port = parentPort;
/** Reports, also before each call; the only message from the main thread stops the work there. */
const report = (news: InversionNews): void => {
  if (receiveMessageOnPort(port)) throw new Error('stopped');
  port.postMessage(news);
};
report({ type: 'done', edited: await edit(workerData as InversionJob, report) });
