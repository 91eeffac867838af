import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { it } from 'node:test';
import type { Row } from '../../src/diffusion/stream.js';
import { ModelRuntime } from '../../src/engine/worker/networks/runtime.js';
import { readModelFolder } from '../../src/model/folder.js';
import { readSafeTensors } from '../support/safetensors.js';

// Started by npm run test:large, which makes the models (ops/export/tests/full_size.py).
const folder = process.env['MILLRACE_LARGE_MODEL'];

/** Largest difference over the largest value: float32 in another order, through a hundred layers. */
const tolerance = 1e-4;

it('a U-Net of the true size loads and gives what torch gives', async (t) => {
  assert.ok(folder, 'MILLRACE_LARGE_MODEL must name a folder that full_size.py made');
  const reference = await readSafeTensors(join(folder, 'reference.safetensors'));
  const loading = performance.now();
  await using runtime = await ModelRuntime.load(await readModelFolder(folder), {
    threads: availableParallelism(),
  });
  const loaded = performance.now();

  const [count, channels, height, width] = reference.shape('sample');
  const rows = Array.from({ length: count }, (_, i): Row => ({
    role: 'positive',
    stage: { timestep: reference.numbers('timestep')[i], a: 1, b: 1, inputScale: 1 },
    input: reference.entry('sample', i),
    conditioning: {
      encoder_hidden_states: reference.entry('encoder_hidden_states', i),
      ...(reference.has('text_embeds') && { text_embeds: reference.entry('text_embeds', i) }),
    },
  }));
  const predictions = await runtime.predict(rows, [channels, height, width]);
  const predicted = performance.now();

  let difference = 0;
  let scale = 0;
  for (const [i, prediction] of predictions.entries()) {
    for (const [j, want] of reference.entry('out_sample', i).entries()) {
      // Math.max keeps NaN, which then fails.
      difference = Math.max(difference, Math.abs(prediction[j] - want));
      scale = Math.max(scale, Math.abs(want));
    }
  }
  const seconds = (from: number, to: number): string => ((to - from) / 1000).toFixed(1);
  const memory = process.resourceUsage().maxRSS / 1024 ** 2;
  t.diagnostic(
    `${count} rows of ${height}x${width} latents: largest difference ${difference.toExponential(2)}, ` +
      `relative ${(difference / scale).toExponential(2)} (allowed ${tolerance}); ` +
      `loaded in ${seconds(loading, loaded)} s, ran in ${seconds(loaded, predicted)} s, ${memory.toFixed(1)} GB at the peak`,
  );
  assert.ok(difference <= tolerance * scale, `differs by ${difference}, the largest value is ${scale}`);
});
