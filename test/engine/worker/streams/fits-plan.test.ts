import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { FrameState } from '../../../../src/diffusion/in-flight.js';
import { fitsPlan } from '../../../../src/engine/worker/streams/fits-plan.js';
import { createStream } from '../../../diffusion/streams.js';

const { plan } = createStream();

/** A frame with a mask that fits the plan. */
function frameWith(changes: Partial<FrameState>): FrameState {
  const latent = new Float32Array(24);
  const kept = { mask: new Float32Array(6), original: latent };
  const frame = { frame: 1, ordinal: 1, stageIndex: 3, sample: latent, stock: latent, kept };
  return { ...frame, history: {}, stockHistory: {}, ...changes };
}

it('a frame fits a plan with its stages and the size of its latents', () => {
  const latent = new Float32Array(24);
  const nan = new Float32Array(24).fill(NaN);
  assert.ok(fitsPlan(frameWith({}), plan));
  assert.ok(fitsPlan(frameWith({ kept: undefined }), plan));
  const misfits: readonly Partial<FrameState>[] = [
    { stageIndex: 4 },
    { sample: new Float32Array(20) },
    { sample: nan },
    { stock: new Float32Array(28) },
    { stock: nan },
    { kept: { mask: new Float32Array(24), original: latent } },
    { kept: { mask: new Float32Array(6).fill(NaN), original: latent } },
    { kept: { mask: new Float32Array(6), original: new Float32Array(6) } },
    { kept: { mask: new Float32Array(6), original: nan } },
  ];
  for (const misfit of misfits) assert.ok(!fitsPlan(frameWith(misfit), plan), JSON.stringify(misfit));
});
