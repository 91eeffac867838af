import assert from 'node:assert/strict';
import { test } from 'node:test';
import { predictedNoise } from '../../src/diffusion/prediction.js';
import { assertClose } from '../support/compare.js';

const clean = Float32Array.of(0.5, -1, 2, 0);
const noise = Float32Array.of(-0.25, 1.5, 0.75, -2);
const a = 0.6;
const b = 0.8;
const inputScale = 0.4;
const stage = { a, b, inputScale };
const sample = clean.map((x0, i) => (a * x0 + b * noise[i]) / inputScale);

const outputs = {
  epsilon: noise,
  v_prediction: noise.map((z, i) => a * z - b * clean[i]),
  sample: clean,
} as const;

for (const prediction of ['epsilon', 'v_prediction', 'sample'] as const) {
  test(`the noise behind a perfect ${prediction} output is found`, () => {
    const out = new Float32Array(4);
    predictedNoise(prediction, stage, sample, outputs[prediction], out);
    assertClose(out, noise, 1e-6, prediction);
  });

  test(`the noise may be written over the ${prediction} output`, () => {
    const output = outputs[prediction].slice();
    const untouched = sample.slice();
    predictedNoise(prediction, stage, sample, output, output);
    assertClose(output, noise, 1e-6, prediction);
    assert.deepEqual(sample, untouched);
  });
}
