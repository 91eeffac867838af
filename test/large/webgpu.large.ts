import { it } from 'node:test';
import { assertParity } from '../engine/webgpu/parity.js';
import { tinyModelOf64 } from '../engine/webgpu/small-model.js';
import { softwareGpu } from '../support/software-gpu.js';

// Started by npm run test:large.
it('WebGPU computes what the CPU computes with a whole U-Net and VAE', async () => {
  const model = await tinyModelOf64();
  await assertParity(model.folder, await softwareGpu());
});
