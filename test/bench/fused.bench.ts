import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { repositoryRoot } from '../support/reference.js';
import { noSoftwareGpu, unpackSoftwareGpu } from '../support/software-gpu.js';
import { attentionFigures, script } from './fused/attention.js';
import { formFigures } from './fused/forms.js';
import { lastLine } from './python-environment.js';
import { report } from './report.js';

/**
 * Which operators run fast: `npm run bench -- fused`. Attention of a U-Net with the blocks of Stable Diffusion 1.5 at a
 * quarter of its width, fused, in plain operators and in torch, if `PYTHON` names a Python with the packages of
 * ops/export; then forms of GroupNorm and SiLU. WebGPU is a device in software here, whose fused attention is wrong:
 * the time says how much work it is, not how fast a GPU is.
 */
const run = promisify(execFile);
const [width, threads] = [80, 2];

/** Exports the U-Nets once. @returns their folder, or why there is none. */
async function unets(python: string): Promise<{ readonly folder: string } | { readonly missing: string }> {
  const version = createHash('sha256')
    .update(await readFile(script))
    .digest('hex')
    .slice(0, 12);
  const folder = join(repositoryRoot, 'node_modules/.cache/millrace', `fused-bench-${width}-${version}`);
  try {
    if (!existsSync(join(folder, 'fused/model.onnx')))
      await run(python, [script, 'make', folder, String(width)]);
    return { folder };
  } catch (error) {
    return { missing: `"${python}" cannot export a U-Net: ${lastLine(error)}` };
  }
}

const { missing, figures } = await formFigures({
  device: 'cpu',
  threads,
  channels: 320,
  side: 64,
  rounds: 20,
});
for (const reason of missing) console.log(`not there: ${reason}`);
report('fused, GroupNorm and SiLU', figures);

const python = process.env['PYTHON'] ?? 'python3';
const made = await unets(python);
if ('missing' in made) {
  console.log(`\nfused, attention: not measured. ${made.missing}`);
} else {
  const { folder } = made;
  const trials = { folder, rows: 1, threads } as const;
  const torch = { python, width };
  for (const side of [32, 64]) {
    report('fused, attention', await attentionFigures({ ...trials, device: 'cpu', side, rounds: 2 }, torch));
  }
  const place = await mkdtemp(join(tmpdir(), 'millrace-gpu-'));
  try {
    if (noSoftwareGpu !== null) console.log(`\nfused, attention on WebGPU: not measured. ${noSoftwareGpu}`);
    else {
      const environment = await unpackSoftwareGpu(place);
      const onGpu = { ...trials, device: 'webgpu', side: 16, rounds: 1, environment };
      report('fused, attention, WebGPU in software', await attentionFigures(onGpu, null));
    }
  } finally {
    await rm(place, { recursive: true });
  }
}
