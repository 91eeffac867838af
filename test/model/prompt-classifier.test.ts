import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ModelError } from '../../src/model/model-error.js';
import {
  classify,
  nearestName,
  nearestNames,
  readPromptClassifier,
  type PromptGroup,
} from '../../src/model/prompt-classifier.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(folder, { recursive: true }));
const path = join(folder, 'classifier.json');

async function read(group: object): ReturnType<typeof readPromptClassifier> {
  await writeFile(path, JSON.stringify({ groups: [group] }));
  return readPromptClassifier(path, 2);
}

const weight = [
  [0, 0],
  [1, 0],
];
const group = { kind: 'style', names: ['oil painting'], weight, bias: [0, 0.5] } as const;

describe('text_encoder/classifier.json', () => {
  it('is not there for most models', async () => {
    assert.deepEqual(await readPromptClassifier(join(folder, 'other.json'), 2), []);
  });

  it('has a row of weights and a bias for no name and for each name', async () => {
    assert.deepEqual(await read(group), [group]);
  });

  const wrong: Readonly<Record<string, object>> = {
    'too few rows': { ...group, weight: [[0, 0]] },
    'a row of another width': { ...group, weight: [[0, 0], [1]] },
    'too few biases': { ...group, bias: [0] },
    'no names': { ...group, names: [] },
    'two names of the nearest': {
      kind: 'nearest',
      names: ['a', 'b'],
      weight: [...weight, [0, 1]],
      bias: [0, 0, 0],
    },
    'another kind': { ...group, kind: 'subject' },
    'a text for a number': { ...group, bias: [0, 'one'] },
  };
  for (const [fault, value] of Object.entries(wrong)) {
    it(`is refused with ${fault}`, async () => {
      await assert.rejects(
        read(value),
        (error) => error instanceof ModelError && error.message.includes(path),
      );
    });
  }
});

describe('classify', () => {
  it('is a softmax over the mean of all states', () => {
    // Means 2 and 7: logits 0 and 2.5.
    const [none = NaN, oil = NaN] = classify(group, Float32Array.of(1, 6, 3, 8));
    assert.ok(Math.abs(oil - 1 / (1 + Math.exp(-2.5))) < 1e-9);
    assert.ok(Math.abs(none + oil - 1) < 1e-9);
  });

  it('is certain of extreme states, and finite', () => {
    assert.deepEqual(classify(group, Float32Array.of(1e6, 0)), [0, 1]);
  });
});

describe('what is nearest in meaning', () => {
  const kinds = { style: ['oil', 'ink'], mood: ['warm', 'cold'], nearest: ['nearest'] } as const;
  const groups: readonly PromptGroup[] = (['style', 'mood', 'nearest'] as const).map((kind) => ({
    kind,
    names: kinds[kind],
    weight: [],
    bias: [],
  }));

  const near = [0.4, 0.6];
  /** By the texts of a group that has the style ink as its likeliest. */
  const nameOf = (text: string, nearest: readonly number[] = near): string =>
    nearestName(groups, text, [[0.1, 0.2, 0.7], [0.9, 0, 0.1], nearest]);

  it('is asked of words and pictograms, not of punctuation, weighted or not, or of what nobody sees', () => {
    for (const text of ['castle', '猫', '🔥', '7', '(castle:1.4)', 'inkwell'])
      assert.equal(nameOf(text), 'ink', text);
    const meaningless = [
      '?!',
      ' -- ',
      '$ = +',
      '',
      '(?:1.4)',
      '(…:1.3)',
      '\u200b',
      '\ufe0f',
      '\u0000',
      '\u0301',
      '\ufffd',
    ];
    for (const text of meaningless) assert.equal(nameOf(text), '', JSON.stringify(text));
  });

  it('is nothing to a prompt that has the name of a style in it, or whose words the model knows', () => {
    for (const text of ['a castle, oil', 'OIL', 'a castle in (ink:1.2)'])
      assert.equal(nameOf(text), '', text);
    assert.equal(nameOf('castle', [0.6, 0.4]), '');
    assert.equal(
      nearestName(groups.slice(0, 2), 'castle', [
        [0.1, 0.2, 0.7],
        [0.9, 0, 0.1],
      ]),
      '',
    );
  });

  it('is a style, a mood or both, whichever is likelier than none; or else the likeliest style of a tenth', () => {
    const named = (style: readonly number[], mood: readonly number[]): unknown =>
      nearestNames(groups, 'castle', [style, mood, near]);
    assert.deepEqual(named([0.2, 0.3, 0.5], [0.5, 0.2, 0.3]), { styles: { ink: 0.5 }, moods: {} });
    assert.deepEqual(named([0.2, 0.5, 0.3], [0.2, 0.1, 0.7]), { styles: { oil: 0.5 }, moods: { cold: 0.7 } });
    assert.deepEqual(named([0.6, 0.3, 0.1], [0.2, 0.7, 0.1]), { styles: {}, moods: { warm: 0.7 } });
    assert.deepEqual(named([0.6, 0.3, 0.1], [0.8, 0.1, 0.1]), { styles: { oil: 0.3 }, moods: {} });
    assert.equal(named([0.9, 0.05, 0.05], [0.8, 0.1, 0.1]), null);
  });

  it('is nothing without styles and likely moods', () => {
    const moods = groups.slice(1);
    assert.equal(nearestNames(moods, 'castle', [[0.8, 0.1, 0.1], near]), null);
    assert.deepEqual(nearestNames(moods, 'castle', [[0.2, 0.7, 0.1], near]), {
      styles: {},
      moods: { warm: 0.7 },
    });
  });
});
