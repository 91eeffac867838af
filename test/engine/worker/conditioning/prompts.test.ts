import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultParameters, type StreamParameters } from '@millrace/protocol';
import type { Conditioning } from '../../../../src/diffusion/stream.js';
import { EmbeddingCache } from '../../../../src/engine/worker/conditioning/embedding-cache.js';
import { Padding } from '../../../../src/engine/worker/conditioning/padding.js';
import { NearestNames, type PromptGroup } from '../../../../src/model/prompt-classifier.js';
import {
  embedPrompts,
  MovingPrompt,
  noPrompt,
  type PromptPair,
} from '../../../../src/engine/worker/conditioning/prompts.js';

/** The empty prompt; a chunk is two values. */
const empty = Float32Array.of(9, 9);
const padding = new Padding(empty, null);
const floats = (...values: readonly number[]): Float32Array => Float32Array.from(values);

/** A prompt of two words is two chunks long. */
function embed(prompt: string): Conditioning {
  const value = prompt.length;
  const text = prompt.includes(' ') ? floats(value, value, value, value) : floats(value, value);
  return { encoder_hidden_states: text, text_embeds: floats(10 * value) };
}

async function embedded(
  changes: Partial<StreamParameters>,
  emptyNegative: Conditioning | null = null,
  encode = embed,
  promptGroups: readonly PromptGroup[] = [],
): Promise<PromptPair & { readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const embeddings = new EmbeddingCache(
    (prompt) => {
      asked.push(prompt);
      return Promise.resolve(encode(prompt));
    },
    { capacity: 9, onLookup: () => {} },
  );
  const pair = await embedPrompts(
    { embeddings, emptyNegative, padding, nearestNames: new NearestNames(promptGroups) },
    { ...defaultParameters(), ...changes },
  );
  return { ...pair, asked };
}

describe('prompts', () => {
  it('are embedded separately, the negative one last', async () => {
    const { positive, negative, asked } = await embedded({ prompt: 'fox', negative_prompt: 'blurred' });
    assert.deepEqual([positive, negative, asked], [embed('fox'), embed('blurred'), ['fox', 'blurred']]);
  });

  it('that are negative and empty may count as no prompt at all', async () => {
    const nothing = { encoder_hidden_states: floats(0, 0) };
    const none = await embedded({ prompt: 'fox', negative_prompt: '' }, nothing);
    assert.deepEqual([none.negative, none.asked], [nothing, ['fox']]);
    const some = await embedded({ prompt: 'fox', negative_prompt: 'ab' }, nothing);
    assert.deepEqual(some.negative, embed('ab'));
    assert.deepEqual((await embedded({ prompt: 'fox', negative_prompt: '' })).negative, embed(''));
  });

  it('are blended by weight at the length of the longest, with their pooled embeddings', async () => {
    const prompt = [
      { text: 'aa', weight: 3 },
      { text: 'a bcd', weight: 1 },
    ];
    const { positive } = await embedded({ prompt, prompt_blend: 'lerp' });
    const parts = [floats(2, 2, 9, 9), floats(5, 5, 5, 5)] as const;
    assert.deepEqual(
      positive.encoder_hidden_states,
      parts[0].map((value, i) => 0.75 * value + 0.25 * parts[1][i]),
    );
    assert.deepEqual(positive.text_embeds, floats(0.75 * 20 + 0.25 * 50));
    const bare = await embedded({ prompt }, null, (text) => {
      const { encoder_hidden_states } = embed(text);
      return { encoder_hidden_states };
    });
    assert.ok(!('text_embeds' in bare.positive));
  });

  it('that only have a style that is near in meaning are drawn by its name, but negative ones are not', async () => {
    // A state is the length of a text: castles is near to ink and warm, lakes to nothing likely, and oil names itself.
    const promptGroups: readonly PromptGroup[] = [
      { kind: 'nearest', names: ['nearest'], weight: [[0], [9]], bias: [0, -40] },
      { kind: 'style', names: ['oil', 'ink'], weight: [[0], [0], [1]], bias: [5, 0, -1] },
      { kind: 'mood', names: ['warm'], weight: [[0], [1]], bias: [5.5, 0] },
    ];
    const asked = async (changes: Partial<StreamParameters>): Promise<unknown> =>
      (await embedded(changes, null, embed, promptGroups)).asked;
    assert.deepEqual(await asked({ prompt: 'oil', negative_prompt: 'castle' }), ['oil', 'castle']);
    assert.deepEqual(await asked({ prompt: 'castles' }), ['castles', 'ink, warm', '']);
    assert.deepEqual(await asked({ prompt: 'lakes' }), ['lakes', 'ink', '']);
    assert.deepEqual(await asked({ prompt: '?! = $...' }), ['?! = $...', '']);
    const { positive } = await embedded({ prompt: 'castles' }, null, embed, promptGroups);
    assert.deepEqual(positive, embed('ink, warm'));
  });

  it('are zeros for the same inputs if there is none', () => {
    assert.deepEqual(noPrompt(embed('fox')), { encoder_hidden_states: floats(0, 0), text_embeds: floats(0) });
  });

  it('are blended and move in every further input of the U-Net', async () => {
    const encode = (text: string): Conditioning => ({ ...embed(text), further: floats(text.length, 0) });
    const prompt = [
      { text: 'aa', weight: 1 },
      { text: 'aaaa', weight: 1 },
    ];
    const { positive } = await embedded({ prompt, prompt_blend: 'lerp' }, null, encode);
    assert.deepEqual(positive.further, floats(3, 0));
    const moving = new MovingPrompt(positive, padding);
    moving.moveTo(encode('aaaaa'), way);
    assert.deepEqual(moving.at(12, 1000).further, floats(4, 0));
  });
});

const way = { method: 'lerp', length: { frames: 4, seconds: 0 }, ordinal: 10, ms: 1000 } as const;

describe('a moving prompt', () => {
  it('stays the same if there is nothing to move to', () => {
    const fox = embed('fox');
    const prompt = new MovingPrompt(fox, padding);
    prompt.moveTo(fox, way);
    assert.equal(prompt.transition(1500), null);
    assert.equal(prompt.at(11, 1500).encoder_hidden_states, fox.encoder_hidden_states);
    assert.deepEqual(prompt.at(11, 1500).text_embeds, fox.text_embeds);
    assert.ok(
      !('text_embeds' in new MovingPrompt({ encoder_hidden_states: floats(1, 1) }, padding).at(0, 0)),
    );
  });

  it('moves with all its parts, and reports where it came from', () => {
    const [from, to] = [embed('fox'), embed('seven77')];
    const prompt = new MovingPrompt(from, padding);
    prompt.moveTo(to, way);
    assert.deepEqual(prompt.at(11, 1000), { encoder_hidden_states: floats(4, 4), text_embeds: floats(40) });
    assert.deepEqual(prompt.transition(1250), {
      from,
      method: 'lerp',
      length: way.length,
      ordinal: 10,
      elapsedMs: 250,
    });
    const there = prompt.at(14, 1000);
    assert.equal(there.encoder_hidden_states, to.encoder_hidden_states);
    assert.deepEqual(there.text_embeds, to.text_embeds);
    assert.equal(prompt.transition(1250), null);
  });

  it('reports all parts, also those that do not move', () => {
    const from = embed('fox');
    const prompt = new MovingPrompt(from, padding);
    const to = { ...embed('seven77'), text_embeds: from.text_embeds ?? floats() };
    prompt.moveTo(to, way);
    assert.deepEqual(prompt.transition(1000)?.from, from);
    assert.deepEqual(prompt.at(11, 1000), {
      encoder_hidden_states: floats(4, 4),
      text_embeds: from.text_embeds,
    });
  });

  it('has the length of the longer one while it moves, and then its own', () => {
    const [short, long] = [embed('aa'), embed('aaa bb')];
    const growing = new MovingPrompt(short, padding);
    growing.moveTo(long, way);
    assert.deepEqual(growing.at(12, 1000).encoder_hidden_states, floats(4, 4, 7.5, 7.5));
    assert.equal(growing.at(14, 1000).encoder_hidden_states, long.encoder_hidden_states);
    const shrinking = new MovingPrompt(long, padding);
    shrinking.moveTo(short, way);
    assert.deepEqual(shrinking.at(12, 1000).encoder_hidden_states, floats(4, 4, 7.5, 7.5));
    assert.equal(shrinking.at(14, 1000).encoder_hidden_states, short.encoder_hidden_states);
  });

  it('continues elsewhere from where it was', () => {
    const [from, to] = [embed('fox'), embed('seven77')];
    const here = new MovingPrompt(from, padding);
    here.moveTo(to, { ...way, length: { frames: 0, seconds: 1 } });
    const transition = here.transition(1250);
    assert.ok(transition);
    const there = new MovingPrompt(to, padding);
    there.resume(transition, 90_000);
    assert.deepEqual(there.at(11, 90_250), { encoder_hidden_states: floats(5, 5), text_embeds: floats(50) });
    assert.deepEqual(there.at(11, 90_750), {
      encoder_hidden_states: to.encoder_hidden_states,
      text_embeds: to.text_embeds,
    });
    const bare = new MovingPrompt({ encoder_hidden_states: to.encoder_hidden_states }, padding);
    const { encoder_hidden_states } = transition.from;
    bare.resume({ ...transition, from: { encoder_hidden_states } }, 90_000);
    assert.deepEqual(bare.at(11, 90_250), { encoder_hidden_states: floats(5, 5) });
  });

  it('does not continue from values that are of another model or not finite', () => {
    const to = embed('seven77');
    const transition = {
      method: 'lerp',
      length: { frames: 4, seconds: 0 },
      ordinal: 0,
      elapsedMs: 0,
    } as const;
    for (const from of [
      { encoder_hidden_states: floats(1, 1) },
      { encoder_hidden_states: floats(1, 1), text_embeds: floats(1, 1) },
      { encoder_hidden_states: floats(1, 1, 1), text_embeds: floats(1) },
      { encoder_hidden_states: floats(), text_embeds: floats(1) },
      { encoder_hidden_states: floats(1, NaN), text_embeds: floats(1) },
      { encoder_hidden_states: floats(1, 1), text_embeds: floats(Infinity) },
    ]) {
      const prompt = new MovingPrompt(to, padding);
      prompt.resume({ ...transition, from }, 0);
      assert.equal(prompt.transition(0), null);
      assert.equal(prompt.at(1, 0).encoder_hidden_states, to.encoder_hidden_states);
    }
    const bare = new MovingPrompt({ encoder_hidden_states: to.encoder_hidden_states }, padding);
    bare.resume({ ...transition, from: { encoder_hidden_states: floats(1, 1), text_embeds: floats(1) } }, 0);
    assert.equal(bare.transition(0), null);
  });
});
