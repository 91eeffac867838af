import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawOnce, embeddedModel, tinyParameters } from '../support/engine.js';
import { startBorrowedEngine } from '../support/engine-pool.js';
import type { TestEngine } from '../support/engine.js';

const size = 128;

/** Draws a picture in one or more steps. */
function draw({ engine }: TestEngine, prompt: string, steps: number[]): Promise<Uint8Array> {
  return drawOnce(
    engine,
    tinyParameters({ t_index_list: steps, width: size, height: size, cfg_type: 'none', prompt }),
  );
}

/** Returns the mean squared difference of neighbours in a row: a measure of fine structure. */
function structure(picture: Uint8Array): number {
  let sum = 0;
  for (let i = 3; i < picture.length; i++)
    sum += i % (3 * size) < 3 ? 0 : ((picture[i] ?? 0) - (picture[i - 3] ?? 0)) ** 2;
  return sum / picture.length;
}

test('two and four steps of the embedded model add detail to what one draws: hatching, a finer grid, wood', async () => {
  await using run = await startBorrowedEngine(embeddedModel);
  for (const prompt of ['ink line art', 'blueprint', 'ukiyo-e print']) {
    const one = structure(await draw(run, prompt, [25]));
    for (const steps of [
      [25, 37],
      [25, 31, 37, 43],
    ]) {
      const finished = structure(await draw(run, prompt, steps));
      assert.ok(finished > 1.25 * one, `${prompt}: ${finished} with ${steps.length} steps, ${one} with one`);
    }
  }
});
