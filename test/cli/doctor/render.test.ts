import assert from 'node:assert/strict';
import { it } from 'node:test';
import { checkLayout, inspectModel, inspectParts } from '../../../src/cli/doctor/inspect.js';
import { render } from '../../../src/cli/doctor/render.js';
import type { DoctorReport } from '../../../src/cli/doctor/report.js';
import { readModelFolder } from '../../../src/model/folder.js';
import { layoutFolder, type LayoutName } from '../../support/layouts.js';

const system = {
  node: '20.19.0',
  platform: 'linux x64',
  processor: 'Quick',
  cores: 4,
  usable_cores: 4,
  cpu_quota: null,
  threads: 4,
  memory_bytes: 8.2e9,
};

async function reportOf(layout: LayoutName, changes: Partial<DoctorReport> = {}): Promise<DoctorReport> {
  const model = await readModelFolder(layoutFolder(layout));
  return {
    version: '1.2.3',
    system,
    model: { ...inspectModel(model), folder: '/models/one' },
    parts: await inspectParts(model),
    checks: [...checkLayout(model, 'cpu'), { level: 'note', text: 'a note that is long '.repeat(12).trim() }],
    providers: [
      { provider: 'cpu', reason: null },
      { provider: 'cuda', reason: 'no NVIDIA GPU is here' },
    ],
    performance: {
      device: 'cpu',
      calibration: { at: '2026-03-01T08:05:09.000Z', kept: true },
      unet: [
        { rows: 1, ms: 8.125 },
        { rows: 2, ms: 14 },
        { rows: 8, ms: 48 },
      ],
      picture_ms: 4.44444,
      pictures: [
        { pictures: 1, ms: 4.44444 },
        { pictures: 2, ms: 6 },
      ],
      frames_per_second: 97.31,
      sessions: [
        { fps: 10, sessions: 9 },
        { fps: 30, sessions: 3 },
      ],
    },
    ...changes,
  };
}

it('fits terminals of 80 and 120 columns for any model', async () => {
  for (const layout of ['optimum', 'optimum-onnx', 'lcm', 'sdxl'] as const) {
    const report = await reportOf(layout);
    for (const width of [80, 120]) {
      const lines = render(report, width).split('\n');
      for (const line of lines) assert.ok(line.length <= width, `${line.length} columns: ${line}`);
      for (const line of lines) assert.equal(line, line.trimEnd());
    }
  }
});

it('says when the costs were measured', async () => {
  const report = await reportOf('optimum');
  const { performance } = report;
  assert.ok(performance);
  const flat = (kept: boolean): string => {
    const calibration = { ...performance.calibration, kept };
    return render({ ...report, performance: { ...performance, calibration } }, 120).replace(/\s+/g, ' ');
  };
  assert.match(flat(true), /adds 4\.44 ms \(kept from 2026-03-01 08:05 UTC, --fresh measures again\):/);
  assert.match(flat(false), /adds 4\.44 ms \(measured now\):/);
});

it('shows how many threads a call has and what limits them', async () => {
  const text = async (changes: Partial<DoctorReport['system']>): Promise<string> =>
    render(await reportOf('optimum', { system: { ...system, ...changes } }), 120);
  assert.match(await text({}), /\n {2}threads +4\n/);
  assert.match(
    await text({ usable_cores: 1, cpu_quota: 1.5, threads: 1 }),
    /threads +1; this process may use 1\.5 of the 4 processors \(quota of its control group\)\n/,
  );
  assert.match(
    await text({ usable_cores: 2, threads: 2 }),
    /threads +2; this process may use 2 of the 4 processors\n/,
  );
});

it('shows the kind of model, the inputs and outputs of its files, and which providers work', async () => {
  const text = render(await reportOf('sdxl'), 100);
  assert.match(text, /kind +Stable Diffusion XL, predicts epsilon/);
  assert.match(text, /pictures +64 x 64, or other multiples of 4/);
  assert.match(text, /prompts +77 tokens, 40 values each/);
  assert.match(text, /text encoder 2: text_encoder_2.model\.onnx, float32, 130 KB/);
  assert.match(
    text,
    /\n {4}in {3}sample float32 \[batch_size, 4, height, width\]\n {9}timestep int64 \[batch_size\]\n/,
  );
  assert.match(text, /ok +a timestep for each row/);
  assert.match(text, /cuda +no: no NVIDIA GPU is here\n/);
  assert.match(
    text,
    /rows +1 +2 +8\n +ms +8\.13 +14 +48\n +ms a row +8\.13 +7 +6\n +pictures +1 +2\n +ms +4\.44 +6\n +ms a picture +4\.44 +3\n/,
  );
  assert.match(text, /frames a second +10 +30\n +sessions +9 +3\n/);

  const half = render(await reportOf('optimum-onnx'), 120);
  assert.match(half, /note +computes in half precision/);
  assert.match(half, /U-Net: unet.model\.onnx, float16, \d+(\.\d+)? KB/);
  const fixed = render(await reportOf('lcm', { performance: null }), 120);
  assert.match(fixed, /pictures +64 x 64, the only size/);
  assert.match(fixed, /latent consistency/);
  assert.doesNotMatch(fixed, /Speed|a timestep for each row|any number of rows/);
});
