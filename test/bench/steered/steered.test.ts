import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { linkFiles, steeredModel } from '../../support/steered-model.js';
import type { Figure } from '../report.js';
import { callFigures } from './calls.js';
import { panFigures } from './moving-noise.js';
import { userFigures } from './users.js';

const folder = await steeredModel('all');
const plainFolder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
after(() => rm(plainFolder, { recursive: true }));
await linkFiles(folder, plainFolder, ['unet_steered', 'controls', 'image_encoder']);

function assertFigures(figures: readonly Figure[], count: number): void {
  assert.equal(figures.length, count);
  for (const { what, value } of figures) assert.ok(Number.isFinite(value) && value > 0, `${what}: ${value}`);
}

test('calls are compared', async () => {
  assertFigures(await callFigures({ folder, plainFolder, rows: 1, side: 64, rounds: 1, threads: 1 }), 7);
});

test('users with and without a ControlNet are compared', async () => {
  assertFigures(await userFigures({ folder, users: 2, frames: 2, side: 64, rounds: 1, threads: 1 }), 2);
});

test('the pattern of moving noise stays with a picture that pans, that of fixed noise in its place', async () => {
  const figures = await panFigures({ frames: 10, speed: 8, apart: 2, threads: 2 });
  const [fixedMoved, fixedStill, movingMoved, movingStill] = figures.map(({ value }) => value);
  assert.ok(fixedStill > fixedMoved && movingMoved > movingStill, JSON.stringify(figures));
  assert.ok(movingMoved > fixedMoved, JSON.stringify(figures));
});
