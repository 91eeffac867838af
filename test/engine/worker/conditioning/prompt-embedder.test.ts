import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultParameters, type StreamParameters } from '@millrace/protocol';
import type { Conditioning } from '../../../../src/diffusion/stream.js';
import {
  PromptEmbedder,
  type PromptModel,
  type PromptPair,
} from '../../../../src/engine/worker/conditioning/prompt-embedder.js';
import type { PromptGroup } from '../../../../src/model/prompt-classifier.js';
import type { Padding } from '../../../../src/engine/worker/conditioning/padding.js';
import { embed, floats } from './stub-prompts.js';

/** Returns the embedded prompts, and the texts that were encoded for them. */
async function embedded(
  changes: Partial<StreamParameters>,
  folder: Partial<PromptModel['folder']> = {},
  encode = embed,
): Promise<PromptPair & { readonly asked: readonly string[]; readonly padding: Padding }> {
  let asked: string[] = [];
  const prompts = await PromptEmbedder.create({
    folder: { zeroEmptyNegative: false, ...folder },
    embed(text) {
      asked.push(text);
      return Promise.resolve(encode(text));
    },
  });
  asked = [];
  const pair = await prompts.embed({ ...defaultParameters(), ...changes });
  return { ...pair, asked, padding: prompts.padding };
}

describe('prompts', () => {
  it('are embedded separately, the negative one last', async () => {
    const { positive, negative, asked } = await embedded({ prompt: 'fox', negative_prompt: 'blurred' });
    assert.deepEqual([positive, negative, asked], [embed('fox'), embed('blurred'), ['fox', 'blurred']]);
  });

  it('that are negative and empty may count as no prompt at all', async () => {
    const zeroEmptyNegative = true;
    const none = await embedded({ prompt: 'fox', negative_prompt: '' }, { zeroEmptyNegative });
    const nothing = { encoder_hidden_states: floats(0, 0), text_embeds: floats(0) };
    assert.deepEqual([none.negative, none.asked], [nothing, ['fox']]);
    const [, padded] = none.padding.align([embed('a bcd'), none.negative]);
    assert.deepEqual(padded?.encoder_hidden_states, floats(0, 0, 0, 0), 'padded with itself');
    const some = await embedded({ prompt: 'fox', negative_prompt: 'ab' }, { zeroEmptyNegative });
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
    const bare = await embedded({ prompt }, {}, (text) => {
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
      (await embedded(changes, { promptGroups })).asked;
    assert.deepEqual(await asked({ prompt: 'oil', negative_prompt: 'castle' }), ['oil', 'castle']);
    assert.deepEqual(await asked({ prompt: 'castles' }), ['castles', 'ink, warm', '']);
    assert.deepEqual(await asked({ prompt: 'lakes' }), ['lakes', 'ink', '']);
    assert.deepEqual(await asked({ prompt: '?! = $...' }), ['?! = $...', '']);
    const { positive } = await embedded({ prompt: 'castles' }, { promptGroups });
    assert.deepEqual(positive, embed('ink, warm'));
  });

  it('are blended in every further input of the U-Net', async () => {
    const encode = (text: string): Conditioning => ({ ...embed(text), further: floats(text.length, 0) });
    const prompt = [
      { text: 'aa', weight: 1 },
      { text: 'aaaa', weight: 1 },
    ];
    const { positive } = await embedded({ prompt, prompt_blend: 'lerp' }, {}, encode);
    assert.deepEqual(positive.further, floats(3, 0));
  });
});
