import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parameterNames } from '@millrace/protocol';
import { readSteering } from '../../src/transport/osc-address.js';
import type { OscValue } from '../../src/transport/osc-packet.js';
import { repositoryRoot } from '../support/reference.js';

const update = (address: string, ...values: readonly OscValue[]): unknown =>
  readSteering({ address, values }).update;

describe('OSC addresses', () => {
  it('are every parameter by its name, for all sessions or for one', () => {
    for (const name of parameterNames) {
      const { session, update } = readSteering({ address: `/millrace/${name}`, values: ['x'] });
      assert.deepEqual([session, Object.keys(update)], [null, [name]]);
    }
    assert.deepEqual(readSteering({ address: '/millrace/abc-1/strength', values: [0.5] }), {
      session: 'abc-1',
      update: { strength: 0.5 },
    });
  });

  it('give values the form of the parameter', () => {
    assert.deepEqual(update('/millrace/steps', 2.4), { steps: 2 });
    assert.deepEqual(update('/millrace/steps', '2'), { steps: 2 });
    assert.deepEqual(update('/millrace/strength', '0.25'), { strength: 0.25 });
    assert.deepEqual(update('/millrace/similar_image_filter', 1), { similar_image_filter: true });
    assert.deepEqual(update('/millrace/similar_image_filter', false), { similar_image_filter: false });
    assert.deepEqual(update('/millrace/t_index_list', 16, 32), { t_index_list: [16, 32] });
    assert.deepEqual(update('/millrace/t_index_list', 16.2), { t_index_list: [16] });
    assert.deepEqual(update('/millrace/t_index_list', null), { t_index_list: null });
    assert.deepEqual(update('/millrace/prompt', 'oil', 0.7, 'ink', 0.3), {
      prompt: [
        { text: 'oil', weight: 0.7 },
        { text: 'ink', weight: 0.3 },
      ],
    });
    assert.deepEqual(update('/millrace/seed', 7.0), { seed: 7 });
    assert.deepEqual(update('/millrace/controls', '{"canny":{"scale":0.5}}'), {
      controls: { canny: { scale: 0.5 } },
    });
    const picture = Uint8Array.of(1, 2);
    assert.deepEqual(update('/millrace/style_image', picture), { style_image: picture });
  });

  it('are also those of StreamDiffusionTD', () => {
    assert.deepEqual(update('/prompt', 'oil'), { prompt: 'oil' });
    assert.deepEqual(update('/prompt_list', '[["oil", 0.7], ["ink", 0.3]]'), {
      prompt: [
        { text: 'oil', weight: 0.7 },
        { text: 'ink', weight: 0.3 },
      ],
    });
    assert.deepEqual(update('/seed_list', '[[2, 1], [5, 0.5]]'), {
      seed: [
        { seed: 2, weight: 1 },
        { seed: 5, weight: 0.5 },
      ],
    });
    assert.deepEqual(update('/t_list', 11, 22), { t_index_list: [11, 22] });
    assert.deepEqual(update('/prompt_interpolation_method', 'linear'), { prompt_blend: 'lerp' });
    assert.deepEqual(update('/prompt_interpolation_method', 'slerp'), { prompt_blend: 'slerp' });
    assert.deepEqual(update('/ipadapter_scale', 0.8), { ip_adapter_scale: 0.8 });
    assert.deepEqual(update('/latent_feedback_strength', 0.2), { latent_feedback: 0.2 });
    assert.deepEqual(update('/pause'), { paused: true });
    assert.deepEqual(update('/play', 1), { paused: false });
    assert.deepEqual(update('/play', 0), {}, 'the button is released');
    assert.deepEqual(update('/guidance_scale', 1.5), { guidance_scale: 1.5 });
  });

  it('of the guide are accepted', async () => {
    const guide = await readFile(join(repositoryRoot, 'ops/docs/osc.md'), 'utf8');
    const table = guide.slice(guide.indexOf('**StreamDiffusionTD.**'));
    const addresses = [...table.matchAll(/`(\/\w+)`/g)].map(([, address = '']) => address);
    assert.ok(addresses.length > 12, addresses.join(' '));
    for (const address of addresses) assert.ok(update(address, '1'), address);
  });

  it('that do not exist, and values of a wrong form, are refused', () => {
    const cases: readonly (readonly [RegExp, string, ...OscValue[]])[] = [
      [/no address \/colour/, '/colour', 1],
      [/no address \/millrace$/, '/millrace', 1],
      [/no address \/a\/strength/, '/a/strength', 1],
      [/no address \/millrace\/a\/b\/strength/, '/millrace/a/b/strength', 1],
      [/no address \/constructor/, '/constructor', 1],
      [/needs a value/, '/strength'],
      [/needs one value, not 2/, '/strength', 1, 2],
      [/needs a weight after each value/, '/prompt', 'a', 1, 'b'],
      [/needs pairs of a value and its weight/, '/prompt_list', '[["a"]]'],
    ];
    for (const [message, address, ...values] of cases) {
      assert.throws(() => update(address, ...values), { name: 'OscError', message });
    }
  });
});
