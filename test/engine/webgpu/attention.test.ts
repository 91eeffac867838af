import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { start } from '../../support/command.js';
import { onnxGraph } from '../../support/onnx-graph.js';
import { noSoftwareGpu, softwareGpu } from '../../support/software-gpu.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-attention-'));
after(() => rm(folder, { recursive: true }));
const [fused, plain] = [join(folder, 'fused.onnx'), join(folder, 'plain.onnx')];
for (const [file, operation] of [
  [fused, 'MultiHeadAttention'],
  [plain, 'MatMul'],
] as const) {
  await writeFile(file, onnxGraph({ inputs: [], outputs: [], nodes: [[operation, ['a', 'b'], 'out']] }));
}

async function faultsOn(device: string): Promise<readonly (string | null)[]> {
  const program = fileURLToPath(new URL('check-attention.js', import.meta.url));
  const { code, stdout, stderr } = await start(
    process.execPath,
    [program, device, fused, plain],
    await softwareGpu(),
  ).ended;
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as (string | null)[];
}

it(
  'fused attention does not run on a WebGPU device that computes it wrongly',
  { skip: noSoftwareGpu ?? false },
  async () => {
    const [ofFused, ofPlain] = await faultsOn('webgpu');
    // Subgroups of SwiftShader have 4 invocations.
    assert.match(
      ofFused ?? '',
      /computes fused attention wrongly on this webgpu device: export it with --attention plain/,
    );
    assert.equal(ofPlain, null);
    assert.deepEqual(await faultsOn('cpu'), [null, null]);
  },
);
