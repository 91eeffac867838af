import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawOnce, embeddedModel, startEngine, tinyParameters } from '../support/engine.js';
import { startBorrowedEngine } from '../support/engine-pool.js';
import type { TestEngine } from '../support/engine.js';
import { layoutFolder } from '../support/layouts.js';

/** Draws one picture from a prompt. */
function draw({ engine }: TestEngine, prompt: string, index = 25): Promise<Uint8Array> {
  return drawOnce(engine, tinyParameters({ t_index_list: [index], height: 64, cfg_type: 'none', prompt }));
}

/** Returns the mean absolute difference of two pictures, from 0 to 255. */
function distance(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? 0)), 0) / a.length;
}

const phrase = 'the harbour and the old town at noon ';
const words = phrase.repeat(10);

test('the embedded model draws from prompts in any script and of any length, even almost empty ones', async () => {
  await using run = await startBorrowedEngine(embeddedModel);
  const prompts = [
    '',
    '   ',
    '?!… ,,, ((( ]]] :::',
    '一幅印象派油画，日落时的港口',
    'зимний пейзаж, гравюра',
    'لوحة زيتية لمدينة قديمة',
    'पेंसिल स्केच',
    '🦊🎨🌌 '.repeat(40),
    '\u0000\ufffd\u200b',
    phrase.repeat(56),
  ];
  for (const prompt of prompts) {
    const drawn = await draw(run, prompt);
    assert.ok(new Set(drawn).size > 16, prompt.slice(0, 40));
  }
});

test('the embedded model draws a style named after the first 77 tokens as if it stood alone', async () => {
  await using run = await startBorrowedEngine(embeddedModel);
  const animals = 'a cat and a dog, a big house, '.repeat(8);
  const plain = await draw(run, animals);
  for (const style of ['pencil sketch', 'neon lights']) {
    const alone = await draw(run, style);
    const behind = await draw(run, `${animals} ${style}`);
    const effect = distance(alone, plain);
    assert.ok(distance(behind, alone) < effect / 2, `${style}: ${distance(behind, alone)} of ${effect}`);
  }
});

test('the embedded model follows a style named after 80 words, and most styles after 128', async () => {
  await using run = await startBorrowedEngine(embeddedModel);
  // More weakly than alone, as one of two parts of 77 tokens does not name it, or two of three. Behind 128 words, a
  // negative is hardly visible.
  const longest = phrase.repeat(16);
  const cases = [
    ...['negative film', 'neon lights', 'thermal camera', 'pencil sketch'].map(
      (style) => [words, style] as const,
    ),
    ...['neon lights', 'thermal camera', 'pencil sketch'].map((style) => [longest, style] as const),
  ];
  for (const index of [25, 30]) {
    for (const [text, style] of cases) {
      const apart = distance(await draw(run, `${text}, ${style}`, index), await draw(run, text, index));
      assert.ok(apart > 5, `${style} behind ${text.length} letters at ${index}: ${apart} of 255`);
    }
  }
});

test('a model exported for 77 tokens uses the beginning of a long prompt', async () => {
  await using run = await startEngine(layoutFolder('lcm'));
  const cats = 'cat '.repeat(75);
  assert.deepEqual(await draw(run, `${cats} dog`), await draw(run, cats));
});
