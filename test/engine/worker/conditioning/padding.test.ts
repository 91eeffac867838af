import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Padding } from '../../../../src/engine/worker/conditioning/padding.js';
import { MovingPrompt } from '../../../../src/engine/worker/conditioning/moving-prompt.js';

const empty = Float32Array.of(7, 8);
const nothing = Float32Array.of(0, 0);
const short = { encoder_hidden_states: Float32Array.of(1, 1) };
const long = { encoder_hidden_states: Float32Array.of(3, 3, 3, 3) };

describe('Padding', () => {
  it('pads with the empty prompt, and pads the zeros of no prompt with zeros', () => {
    const padding = new Padding(empty, nothing);
    assert.deepEqual([...padding.pad(short.encoder_hidden_states, 6)], [1, 1, 7, 8, 7, 8]);
    assert.deepEqual([...padding.pad(nothing, 4)], [0, 0, 0, 0]);
    assert.equal(padding.pad(long.encoder_hidden_states, 2), long.encoder_hidden_states);
  });

  it('accepts only embeddings of whole chunks', () => {
    const padding = new Padding(empty, nothing);
    const fits = [0, 1, 2, 3, 4, 6].filter((length) => padding.fits(new Float32Array(length)));
    assert.deepEqual(fits, [2, 4, 6]);
  });

  it('pads each length separately', () => {
    const padding = new Padding(empty, nothing);
    const four = padding.pad(short.encoder_hidden_states, 4);
    assert.deepEqual([...four], [1, 1, 7, 8]);
    assert.equal(padding.pad(short.encoder_hidden_states, 4), four);
    assert.deepEqual([...padding.pad(short.encoder_hidden_states, 6)], [1, 1, 7, 8, 7, 8]);
    assert.equal(padding.pad(short.encoder_hidden_states, 2), short.encoder_hidden_states);
  });

  it('pads all to the longest, and returns the same array for the same prompt', () => {
    const padding = new Padding(empty, null);
    const text_embeds = Float32Array.of(5);
    const [a, b] = padding.align([{ ...short, text_embeds }, long] as const);
    assert.deepEqual(a, { encoder_hidden_states: Float32Array.of(1, 1, 7, 8), text_embeds });
    assert.equal(b, long);
    assert.equal(padding.align([short, long] as const)[0].encoder_hidden_states, a.encoder_hidden_states);
  });
});

describe('a moving prompt', () => {
  const way = { method: 'lerp', length: { frames: 2, seconds: 0 }, ordinal: 0, ms: 0 } as const;
  const values = (prompt: MovingPrompt, ordinal: number): readonly number[] => [
    ...prompt.at(ordinal, 0).encoder_hidden_states,
  ];

  it('moves to a longer one, and back to a shorter one that ends unpadded', () => {
    const prompt = new MovingPrompt(short, new Padding(empty, null));
    prompt.moveTo(long, way);
    assert.deepEqual(values(prompt, 0), [1, 1, 7, 8]);
    assert.deepEqual(values(prompt, 1), [2, 2, 5, 5.5]);
    assert.equal(prompt.at(2, 0).encoder_hidden_states, long.encoder_hidden_states);
    prompt.moveTo(short, { ...way, ordinal: 2 });
    assert.deepEqual(values(prompt, 3), [2, 2, 5, 5.5]);
    assert.equal(prompt.at(4, 0).encoder_hidden_states, short.encoder_hidden_states);
  });

  it('can turn back halfway, and ignores the prompt that it already moves to', () => {
    const prompt = new MovingPrompt(long, new Padding(empty, null));
    prompt.moveTo(short, way);
    assert.deepEqual(values(prompt, 1), [2, 2, 5, 5.5]);
    prompt.moveTo(short, { ...way, ordinal: 1 });
    assert.equal(prompt.at(2, 0).encoder_hidden_states, short.encoder_hidden_states);
    prompt.moveTo(long, { ...way, ordinal: 2 });
    prompt.moveTo(short, { ...way, ordinal: 3 });
    assert.deepEqual(values(prompt, 4), [1.5, 1.5, 6, 6.75]);
  });

  it('jumps if the transition has no length', () => {
    const prompt = new MovingPrompt(short, new Padding(empty, null));
    prompt.moveTo(long, { ...way, length: { frames: 0, seconds: 0 } });
    assert.equal(prompt.at(0, 0).encoder_hidden_states, long.encoder_hidden_states);
  });
});
