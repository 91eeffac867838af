import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Conditioning } from '../../../../src/diffusion/stream.js';
import { MovingPrompt } from '../../../../src/engine/worker/conditioning/moving-prompt.js';
import { Padding } from '../../../../src/engine/worker/conditioning/padding.js';
import { embed, floats } from './stub-prompts.js';

const padding = new Padding(embed('').encoder_hidden_states, null);
const way = { method: 'lerp', length: { frames: 4, seconds: 0 }, ordinal: 10, ms: 1000 } as const;

describe('a moving prompt', () => {
  it('moves in every further input of the U-Net', () => {
    const encode = (text: string): Conditioning => ({ ...embed(text), further: floats(text.length, 0) });
    const moving = new MovingPrompt(encode('aaa'), padding);
    moving.moveTo(encode('aaaaa'), way);
    assert.deepEqual(moving.at(12, 1000).further, floats(4, 0));
  });

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
