import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import type { CostCurve } from '../../src/engine/costs.js';
import type { Calibration } from '../../src/engine/messages.js';
import { createEngine } from '../../src/engine/host/supervisor.js';
import { tinyModel } from '../support/engine.js';

interface Kept {
  readonly costs: CostCurve;
  readonly pictureMs: number;
  readonly pictureCosts: CostCurve;
}

const cacheDirectory = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(cacheDirectory, { recursive: true }));
const observer = { onState: () => {}, onNote: () => {}, onEvent: () => {} };

/** Starts an engine and returns the costs that it uses. */
async function start(calibration: Calibration = 'auto'): Promise<Kept> {
  await using engine = createEngine({
    model: tinyModel,
    device: 'cpu',
    threads: 1,
    cacheDirectory,
    calibration,
    observer,
  });
  await engine.start();
  assert.ok(engine.state.name === 'ready');
  const { costs, pictureMs, pictureCosts = [] } = engine.state;
  return { costs, pictureMs, pictureCosts };
}

async function keptFile(): Promise<string> {
  const [name, ...others] = await readdir(cacheDirectory);
  assert.ok(name && others.length === 0);
  return join(cacheDirectory, name);
}

async function keep(kept: Kept, times: number): Promise<Kept> {
  const slowed = (curve: CostCurve): CostCurve => curve.map(({ rows, ms }) => ({ rows, ms: ms * times }));
  const changed = {
    costs: slowed(kept.costs),
    pictureMs: kept.pictureMs * times,
    pictureCosts: slowed(kept.pictureCosts),
  };
  await writeFile(await keptFile(), JSON.stringify(changed));
  return changed;
}

it('measured costs are kept unless the machine turns out to be faster or slower, or with --calibration kept', async () => {
  const measured = await start();
  assert.deepEqual(JSON.parse(await readFile(await keptFile(), 'utf8')), measured);
  const tooFast = await keep(measured, 0.001);
  assert.deepEqual(await start('kept'), tooFast);
  const slower = await start();
  assert.ok(slower.pictureMs > tooFast.pictureMs * 10, `${slower.pictureMs}`);
  const disturbed = await keep(measured, 1000);
  const remeasured = await start();
  assert.ok(remeasured.pictureMs < disturbed.pictureMs / 10, `${remeasured.pictureMs}`);
  assert.deepEqual(JSON.parse(await readFile(await keptFile(), 'utf8')), remeasured);
});

it('the engine notes once that measurements cannot be saved in a folder, with the reason and advice', async () => {
  const file = join(cacheDirectory, 'a-file');
  await writeFile(file, '');
  const notes: string[] = [];
  await using engine = createEngine({
    model: tinyModel,
    device: 'cpu',
    threads: 1,
    cacheDirectory: join(file, 'folder'),
    observer: { ...observer, onNote: (note) => notes.push(note) },
  });
  await engine.start();
  const relevant = notes.filter((note) => note.includes('cannot be saved'));
  assert.equal(relevant.length, 1, notes.join('\n'));
  assert.match(relevant[0] ?? '', /a-file\/folder \(ENOTDIR\).*--cache-directory/s);
  await rm(file);
});
