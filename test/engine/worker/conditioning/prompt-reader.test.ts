import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultParameters } from '@millrace/protocol';
import { PromptReader } from '../../../../src/engine/worker/conditioning/prompt-reader.js';
import type { PromptGroup } from '../../../../src/model/prompt-classifier.js';

/** One name each; a state says whether the prompt has the words "oil" and "warm". */
const groups: readonly PromptGroup[] = [
  {
    kind: 'style',
    names: ['oil painting'],
    weight: [
      [0, 0],
      [9, 0],
    ],
    bias: [0, -4],
  },
  {
    kind: 'mood',
    names: ['warm colors'],
    weight: [
      [0, 0],
      [0, 9],
    ],
    bias: [0, -4],
  },
];

function reader(promptGroups: readonly PromptGroup[] = groups): {
  readonly reader: PromptReader;
  readonly embedded: string[];
} {
  const embedded: string[] = [];
  const runtime = {
    folder: { promptGroups },
    countTokens: (text: string) => ({ all: text.length, read: Math.min(20, text.length) }),
    embed(text: string) {
      embedded.push(text);
      const states = ['oil', 'warm'].map((word) => (text.includes(word) ? 1 : 0));
      return Promise.resolve({ encoder_hidden_states: Float32Array.from(states) });
    },
  };
  return { reader: new PromptReader(runtime), embedded };
}

async function read(prompt: string, promptGroups = groups): ReturnType<PromptReader['read']> {
  return reader(promptGroups).reader.read({ ...defaultParameters(), prompt });
}

describe('PromptReader', () => {
  it('names styles and moods, the surest first, and none below a tenth', async () => {
    const [warm] = await read('warm oil');
    assert.deepEqual(
      [Object.keys(warm?.styles ?? {}), Object.keys(warm?.moods ?? {})],
      [['oil painting'], ['warm colors']],
    );
    const share = 1 / (1 + Math.exp(-5));
    assert.ok(Math.abs((warm?.styles?.['oil painting'] ?? 0) - share) < 1e-9);
    const [none] = await read('');
    assert.deepEqual([none?.styles, none?.moods, none?.ignored], [{}, {}, undefined]);
  });

  it('names words that change nothing, but no articles', async () => {
    const [{ ignored } = {}] = await read('the robot in oil, a robot');
    assert.equal(ignored, 'robot');
  });

  it('names no word that two others repeat', async () => {
    const [{ ignored } = {}] = await read('oil oil');
    assert.equal(ignored, undefined);
  });

  it('examines 16 words', async () => {
    const { reader: own, embedded } = reader();
    const words = Array.from({ length: 30 }, (_, i) => `word${i}`);
    const [{ ignored } = {}] = await own.read({ ...defaultParameters(), prompt: words.join(' ') });
    assert.equal(ignored, words.slice(0, 16).join(' '));
    assert.equal(embedded.length, 1 + 2 * 16);
  });

  it('counts tokens and those that are not read, and gives the parts with weights', async () => {
    const [cut] = await read('a prompt that is long', []);
    assert.deepEqual(cut, { text: 'a prompt that is long', tokens: 20, truncated: 1 });
    const [weighted] = await read('a (cat:1.5)', []);
    assert.deepEqual(weighted, { text: 'a (cat:1.5)', tokens: 11, weights: { cat: 1.5 } });
  });

  it('reads each of several prompts once', async () => {
    const { reader: own, embedded } = reader();
    const prompt = [
      { text: 'oil', weight: 1 },
      { text: 'warm', weight: 0.5 },
    ];
    const first = await own.read({ ...defaultParameters(), prompt });
    assert.deepEqual(
      first.map(({ text }) => text),
      ['oil', 'warm'],
    );
    const before = embedded.length;
    assert.deepEqual(await own.read({ ...defaultParameters(), prompt }), first);
    assert.equal(embedded.length, before);
  });

  it('embeds nothing for a model without names', async () => {
    const { reader: own, embedded } = reader([]);
    await own.read({ ...defaultParameters(), prompt: 'oil' });
    assert.deepEqual(embedded, []);
  });

  it('says that a style is only the nearest in meaning, and ignores its word beside a style by name', async () => {
    // "zombie" gets the nearest style, and alone "impasto" oil painting; "fnord" gets none.
    const groupsWithNearest: readonly PromptGroup[] = [
      {
        kind: 'style',
        names: ['oil painting', 'night vision'],
        weight: [
          [0, 0, 0],
          [9, 0, 9],
          [0, 9, 0],
        ],
        bias: [0, -4, -4],
      },
      {
        kind: 'nearest',
        names: ['nearest'],
        weight: [
          [0, 0, 0],
          [-9, 9, 9],
        ],
        bias: [0, -4],
      },
    ];
    const runtime = {
      folder: { promptGroups: groupsWithNearest },
      countTokens: () => ({ all: 1, read: 1 }),
      embed(text: string) {
        const oil = text.includes('oil');
        const states = [oil, !oil && text.includes('zombie'), text === 'impasto'].map(Number);
        return Promise.resolve({ encoder_hidden_states: Float32Array.from(states) });
      },
    };
    const own = new PromptReader(runtime);
    const ask = async (prompt: string): Promise<unknown> => {
      const [{ styles = {}, nearest, ignored } = {}] = await own.read({ ...defaultParameters(), prompt });
      return { styles: Object.keys(styles), nearest, ignored };
    };
    assert.deepEqual(await ask('a zombie fnord'), {
      styles: ['night vision'],
      nearest: true,
      ignored: 'fnord',
    });
    assert.deepEqual(await ask('oil, zombie'), {
      styles: ['oil painting'],
      nearest: undefined,
      ignored: 'zombie',
    });
    assert.deepEqual(
      await ask('oil painting, zombie'),
      { styles: ['oil painting'], nearest: undefined, ignored: 'zombie' },
      'the words of a name are never without effect',
    );
    assert.deepEqual(
      await ask('oil, an impasto, zombie'),
      { styles: ['oil painting'], nearest: undefined, ignored: 'zombie' },
      'the nearest of a word is what the prompt names',
    );
    assert.deepEqual(await ask('zombie zombie'), {
      styles: ['night vision'],
      nearest: true,
      ignored: undefined,
    });
    assert.deepEqual(await ask('fnord'), { styles: [], nearest: undefined, ignored: 'fnord' });
    const [weighted] = await own.read({ ...defaultParameters(), prompt: '(zombie:1.4)' });
    assert.deepEqual(
      [weighted?.nearest, weighted?.weights],
      [true, undefined],
      'the name that is drawn has none',
    );
  });
});
