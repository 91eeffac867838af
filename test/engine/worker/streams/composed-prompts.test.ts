import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setUp } from './live-stream-rig.js';

test('two prompts that are composed get a row each, until their embeddings are mixed again', async () => {
  const { stream, push, configure } = await setUp({
    prompt: [
      { text: 'fox', weight: 1 },
      { text: 'horse', weight: 3 },
    ],
    prompt_composition: 'or',
    solver: 'EulerMaruyamaScheduler',
    cfg_type: 'full',
    guidance_scale: 2,
  });
  push(1);
  stream.screen();
  assert.deepEqual(stream.entries(), [3]);
  stream.takeEntry();
  stream.admit(1, new Float32Array(stream.plan.shape.reduce((all, length) => all * length)));
  const rows = (): readonly (readonly [string, number | undefined])[] =>
    (stream.lanes()[0]?.rows ?? []).map(({ role, conditioning }) => [
      role,
      conditioning.encoder_hidden_states[0],
    ]);
  // The rig encodes a prompt as its length.
  assert.deepEqual(rows(), [
    ['negative', 0],
    ['second', 5],
    ['positive', 3],
  ]);
  await configure({ prompt_composition: 'mix' });
  assert.deepEqual(
    rows().map(([role]) => role),
    ['negative', 'positive'],
  );
  await assert.rejects(configure({ prompt_composition: 'and', solver: 'LCMScheduler' }), {
    field: 'prompt_composition',
  });
});
