import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { tinyModel } from '../../support/engine.js';
import type { Figure } from '../report.js';
import { attentionFigures } from './attention.js';
import { formFigures } from './forms.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
after(() => rm(folder, { recursive: true }));

function assertFigures(figures: readonly Figure[]): void {
  for (const { what, value } of figures) assert.ok(Number.isFinite(value), `${what}: ${value}`);
}

test('forms of GroupNorm and SiLU are compared, and those that a device lacks are named', async () => {
  const trials = { device: 'cpu', threads: 1, channels: 32, side: 4, rounds: 1 };
  const { figures, missing } = await formFigures(trials);
  assertFigures(figures);
  assert.equal(figures.length + missing.length, 5);
  assert.match(missing.join('\n'), /GroupNorm of com\.microsoft, on cpu: .*GroupNorm/);
});

test('the time and memory of two graphs are compared', async () => {
  for (const name of ['plain', 'fused'])
    await cp(join(tinyModel, 'unet'), join(folder, name), { recursive: true });
  const trials = { folder, device: 'cpu', rows: 1, side: 16, rounds: 1, threads: 1 };
  const figures = await attentionFigures(trials, null);
  assertFigures(figures);
  assert.equal(figures.length, 4);
});
