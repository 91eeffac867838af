import { SeededNoise } from '../../src/diffusion/noise.js';
import { cost } from '../../src/engine/costs.js';
import { createSolver } from '../../src/diffusion/solvers/create.js';
import { Stream } from '../../src/diffusion/stream.js';
import {
  embeddedModel,
  RecordedStream,
  startEngine,
  testImage,
  tinyModel,
  tinyParameters,
} from '../support/engine.js';
import { realFrames } from '../support/pictures.js';
import { guidanceFigures } from './pipeline-guidance.js';
import { inTurns, pass, ratio, watch } from './pipeline-rig.js';
import { median, report, type Figure } from './report.js';

/**
 * Figures of the diffusion pipeline on the embedded model: `npm run bench -- pipeline`. Compared variants run in turns
 * within one process, and the figure is a median of ratios.
 */
const side = 256;
const frames = await realFrames(side, side);
const rounds = 3;
const figures: Figure[] = [];

await using run = await startEngine(embeddedModel, { threads: 2, calibration: 'fresh' });
const base = tinyParameters({ width: side, height: side, prompt: 'oil painting', guidance_scale: 1.4 });

const lists = [[38], [25, 38], [22, 30, 38], [18, 25, 32, 38], [15, 20, 25, 32, 38]];
const state = run.engine.state;
if (state.name !== 'ready') throw new Error(`the engine is ${state.name}`);
const { costs, pictureMs, rowBudget } = state;
const [one] = costs;
for (const { rows, ms } of costs.slice(1)) {
  figures.push({
    what: `cost of a row in a U-Net call of ${rows} over that in a call of one`,
    value: ms / rows / one.ms,
    unit: 'x',
  });
}

figures.push(
  ...(await guidanceFigures(run, base, { costs, images: frames.slice(0, 8), tIndexLists: lists })),
);

// The similarity filter.
const still = Array.from({ length: 40 }, () => frames[0]);
for (const [scene, images] of [
  ['a static scene', still],
  ['pedestrians (vtest.avi)', [...frames, ...frames]],
] as const) {
  const { off, on } = await inTurns(['off', 'on'], (name) =>
    pass(run, { ...base, t_index_list: [25], similar_image_filter: name === 'on' }, images),
  );
  figures.push({
    what: `U-Net time saved by the similarity filter on ${scene}`,
    value: ratio(
      off.map(({ unet }) => unet),
      on.map(({ unet }) => unet),
    ),
    unit: 'x',
    ...(scene === 'a static scene' && { goal: 'at least 2.39' }),
  });
}

// Stream batch against sequential denoising, as a client with a camera sees them, and what auto chooses.
for (const t_index_list of lists.slice(1, 4)) {
  const steps = `${t_index_list.length} steps`;
  const { stream, sequential, auto } = await inTurns(['stream', 'sequential', 'auto'], (denoise) =>
    watch(run, { ...base, t_index_list, denoise }, frames, 4),
  );
  const rates = (views: typeof auto): number[] => views.map(({ fps }) => fps);
  const delays = (views: typeof auto): number[] => views.map(({ latencies }) => median(latencies));
  figures.push(
    {
      what: `frames of the stream batch over sequential, camera of 30/s, ${steps}`,
      value: ratio(rates(stream), rates(sequential)),
      unit: 'x',
    },
    {
      what: `latency p50 of the stream batch over sequential, camera of 30/s, ${steps}`,
      value: ratio(delays(stream), delays(sequential)),
      unit: 'x',
    },
    {
      what: `frames of auto over the better of both, camera of 30/s, ${steps}`,
      value: median(rates(auto)) / Math.max(median(rates(stream)), median(rates(sequential))),
      unit: 'x',
    },
    {
      what: `latency p50 of auto over the better of both, camera of 30/s, ${steps}`,
      value: median(delays(auto)) / Math.min(median(delays(stream)), median(delays(sequential))),
      unit: 'x',
    },
  );
}

// Many sessions.
const single: number[] = [];
const byCount = new Map<number, { fps: number[]; spread: number[] }>();
// Longer with more sessions, so that each gets enough frames and a single frame matters little.
const counts = [1, 2, 4, 8, 16];
for (const count of counts) byCount.set(count, { fps: [], spread: [] });
for (let round = 0; round <= rounds; round++) {
  for (const count of counts) {
    const { fps, spread } = await crowd(count, 1500 * count);
    if (round === 0) continue;
    byCount.get(count)!.fps.push(fps);
    byCount.get(count)!.spread.push(spread);
    if (count === 1) single.push(fps);
  }
}
for (const [count, { fps, spread }] of byCount) {
  if (count === 1) {
    figures.push({ what: 'frames per second of one session, one step', value: median(fps), unit: '/s' });
    continue;
  }
  // The gain of sessions from sharing calls, up to the row budget.
  const shared = Math.min(count, rowBudget);
  const predicted = (pictureMs + one.ms) / (pictureMs + cost(costs, shared) / shared);
  figures.push(
    {
      what: `all frames of ${count} sessions over those of one`,
      value: median(fps) / median(single),
      unit: 'x',
      goal: `at least 0.95; ${predicted.toFixed(2)} predicted`,
    },
    {
      what: `largest deviation from an equal share, ${count} sessions`,
      value: median(spread) * 100,
      unit: '%',
      goal: 'under 5',
    },
  );
}

/** Runs `count` sessions that always have a frame waiting, for `ms`. */
async function crowd(count: number, ms: number): Promise<{ fps: number; spread: number }> {
  const streams = await Promise.all(
    Array.from({ length: count }, (_, i) =>
      RecordedStream.open(run.engine, { ...base, t_index_list: [25], prompt: `style ${i}`, seed: i }),
    ),
  );
  const end = performance.now() + ms;
  const play = async (stream: RecordedStream): Promise<void> => {
    for (let frame = 0; performance.now() < end; frame++) {
      const image = frames[frame % frames.length];
      stream.stream.push(frame, { image: { ...image, data: image.data.slice() } }, { replace: false });
      await stream.until(() => stream.admitted.length >= frame && stream.generated >= frame - 1);
      stream.results.clear();
    }
  };
  const start = performance.now();
  await Promise.all(streams.map(play));
  const seconds = (performance.now() - start) / 1000;
  const shares = streams.map(({ generated }) => generated);
  for (const { stream } of streams) stream.close();
  const mean = shares.reduce((sum, share) => sum + share, 0) / count;
  const spread = Math.max(...shares.map((share) => Math.abs(share - mean))) / mean;
  return { fps: (mean * count) / seconds, spread };
}

// The cost of the latent maths compared with the networks.
const latent = new Float32Array(4 * 64 * 64).fill(0.3);
const solver = createSolver(
  { num_train_timesteps: 1000, beta_start: 0.00085, beta_end: 0.012, beta_schedule: 'scaled_linear' },
  {
    solver: 'LCMScheduler',
    num_inference_steps: 50,
    t_index_list: [18, 25, 32, 38],
    timestep_spacing: null,
    solver_order: 2,
    algorithm_type: 'dpmsolver++',
    use_karras_sigmas: false,
    eta: 0,
    gamma: 0,
    do_add_noise: true,
  },
);
const conditioning = { encoder_hidden_states: new Float32Array(1) };
const maths = new Stream(
  {
    solver,
    stockSolver: solver,
    prediction: 'sample',
    shape: [4, 64, 64],
    noise: new SeededNoise([{ seed: 2, weight: 1 }], latent.length, 0),
  },
  { guidance: { type: 'self', scale: 1.4, delta: 1 }, positive: conditioning, negative: conditioning },
  { denoise: 'stream', frameBufferSize: 1 },
);
let mathsMs = 0;
for (let frame = 0; frame < 600; frame++) {
  const start = performance.now();
  maths.admit(frame, latent);
  for (const lane of maths.lanes())
    maths.absorb(
      lane,
      lane.rows.map(() => latent),
    );
  if (frame >= 100) mathsMs += (performance.now() - start) / 500;
}
const four = await pass(run, { ...base, t_index_list: [18, 25, 32, 38], cfg_type: 'self' }, frames);
figures.push({
  what: 'latent maths of a frame of four steps with self guidance, as a share of its time',
  value: (mathsMs / (four.wall / four.results)) * 100,
  unit: '%',
  goal: 'under 3',
});

// Memory over 10,000 frames through the whole engine, with a fast model.
{
  await using tiny = await startEngine(tinyModel);
  const parameters = tinyParameters({ cfg_type: 'self', guidance_scale: 1.4, denoise: 'stream' });
  const stream = await RecordedStream.open(tiny.engine, parameters);
  const image = testImage(0, parameters);
  let before = 0;
  for (let frame = 0; frame < 10_000; frame++) {
    stream.stream.push(frame, { image: { ...image, data: image.data.slice() } }, { replace: false });
    await stream.until(() => stream.generated >= frame - 4);
    stream.results.clear();
    stream.timings.length = 0;
    stream.admitted.length = 0;
    tiny.calls.length = 0;
    if (frame === 1000) before = process.memoryUsage().rss;
  }
  figures.push({
    what: 'growth of resident memory from frame 1,000 to 10,000',
    value: (process.memoryUsage().rss - before) / 2 ** 20,
    unit: 'MiB',
    goal: 'about 0',
  });
}

report('pipeline', figures);
