import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Row, RowValues } from '../../../../src/diffusion/stream.js';
import type { Feed } from '../../../../src/engine/worker/networks/onnx-part.js';
import { blankRow, Unet, type KeptRows } from '../../../../src/engine/worker/networks/unet.js';
import { readModelFolder } from '../../../../src/model/folder.js';
import type { UnetLayout } from '../../../../src/model/layout/unet.js';
import { tinyModel } from '../../../support/engine.js';
import { steeredFolder } from '../../../support/steered-folder.js';

const folder = steeredFolder(await readModelFolder(tinyModel));
const { textLength, textWidth, latentChannels: channels } = folder;
const steered = folder.layout.steered!;
// The layer of the bank has 1 x 2 positions, 3 wide.
const shape = [channels, 2, 3] as const;
const slotLength = 2 * 2 * 3;

interface Call {
  readonly feeds: ReadonlyMap<string, Feed>;
  readonly outputs: readonly string[];
}

/** Creates the steered U-Net: it predicts the number of each row, and computes 10 times that for the bank. */
async function create(changes: Partial<UnetLayout> = {}): Promise<{ unet: Unet; calls: Call[] }> {
  const calls: Call[] = [];
  const note = (feeds: readonly Feed[], outputs: readonly string[]): readonly number[] => {
    const byName = new Map(feeds.map((feed) => [feed.port.name, feed]));
    calls.push({ feeds: byName, outputs });
    const { data = [], shape: [rows] = [0] } = byName.get('sample') ?? {};
    return Array.from({ length: rows }, (_, i) => Number(data[(i * data.length) / rows]));
  };
  const fill = (numbers: readonly number[], length: number, factor: number): Float32Array =>
    Float32Array.from({ length }, (_, i) => factor * numbers[Math.floor((i * numbers.length) / length)]);
  const part = {
    accepts: () => Promise.resolve(true),
    run(feeds: readonly Feed[], { name }: { name: string }, sizes: readonly number[]) {
      const length = sizes.reduce((all, size) => all * size);
      return Promise.resolve(fill(note(feeds, [name]), length, 1));
    },
    runFor(feeds: readonly Feed[], wanted: readonly { port: { name: string }; shape: readonly number[] }[]) {
      const numbers = note(
        feeds,
        wanted.map(({ port }) => port.name),
      );
      const lengths = wanted.map((output) => output.shape.reduce((all, size) => all * size));
      return Promise.resolve(lengths.map((length, k) => fill(numbers, length, k === 0 ? 1 : 10)));
    },
  };
  const unet = await Unet.create(folder, part, { ...steered, unet: { ...steered.unet, ...changes } });
  calls.length = 0;
  return { unet, calls };
}

function row(number: number, values: RowValues = {}): Row {
  return {
    role: 'positive',
    stage: { timestep: 500 - number, a: 1, b: 1, inputScale: 1 },
    input: new Float32Array(channels * 6).fill(number),
    conditioning: { encoder_hidden_states: new Float32Array(textLength * textWidth), ...values },
  };
}

/** A row with a bank of so many filled slots, each filled with its number. */
function banked(number: number, slots: number): Row {
  const bank = Float32Array.from({ length: slots * slotLength }, (_, i) => 1 + Math.floor(i / slotLength));
  return row(number, { bank_mask: new Float32Array(slots).fill(1), bank_0: bank });
}

const feature = (value: number): Float32Array => new Float32Array(6).fill(value);

describe('rows of the steered U-Net', () => {
  it('have zeros for what they do not use', async () => {
    const { unet, calls } = await create();
    const controlled = { control_0_feature_0: feature(7), control_0_scale: Float32Array.of(0.5) };
    await unet.predict([row(1, controlled), row(2)], shape);
    const [{ feeds }] = calls;
    const valuesOf = (name: string): readonly number[] => Array.from(feeds.get(name)!.data, Number);
    assert.deepEqual(valuesOf('control_0_feature_0'), [...feature(7), ...feature(0)]);
    assert.deepEqual(valuesOf('control_0_scale'), [0.5, 0]);
    assert.deepEqual(valuesOf('control_1_scale'), [0, 0]);
    assert.deepEqual(feeds.get('bank_0')!.shape, [2, 0, 2, 2, 3], 'a bank without slots costs nothing');
    assert.deepEqual(feeds.get('bank_mask')!.shape, [2, 0]);
    // Memory that is used again keeps nothing of the call before.
    await unet.predict([row(3), row(4)], shape);
    assert.ok([...calls[1].feeds.get('control_0_feature_0')!.data].every((value) => Number(value) === 0));
  });

  it('of a frame without a control image have scale 0 for it', async () => {
    const { unet, calls } = await create();
    const scale = Float32Array.of(0.5);
    await unet.predict([row(1, { control_0_scale: scale, control_1_scale: scale })], shape);
    assert.deepEqual([...calls[0].feeds.get('control_0_scale')!.data], [0]);
    await unet.predict([row(1, { control_0_scale: scale, control_0_feature_0: feature(0) })], shape);
    assert.deepEqual([...calls[1].feeds.get('control_0_scale')!.data], [0.5], 'a black picture is one');
  });

  it('with a feature or a bank of another size are refused', async () => {
    const { unet } = await create();
    const faults = [
      { control_0_feature_0: new Float32Array(5) },
      { control_0_feature_0: new Float32Array(7) },
      { bank_mask: new Float32Array(1), bank_0: new Float32Array(slotLength + 1) },
    ];
    for (const values of faults) {
      await assert.rejects(unet.predict([row(1, values)], shape), {
        name: 'RangeError',
        message: /a row has/,
      });
    }
  });

  it('with banks of different lengths share a call: the slots that a row does not have are masked', async () => {
    const { unet, calls } = await create();
    await unet.predict([banked(1, 2), banked(2, 0), banked(3, 3), row(4)], shape);
    const [{ feeds }] = calls;
    const { data, shape: dimensions } = feeds.get('bank_0')!;
    assert.deepEqual(dimensions, [4, 3, 2, 2, 3]);
    const slots = Array.from({ length: 12 }, (_, slot) => Number(data[slot * slotLength]));
    assert.deepEqual(slots, [1, 2, 0, 0, 0, 0, 1, 2, 3, 0, 0, 0]);
    assert.deepEqual([...feeds.get('bank_mask')!.data], [1, 1, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0]);
  });

  it('give what they computed for the bank, only if they have one', async () => {
    for (const rows of [null, 2]) {
      const { unet, calls } = await create({ rows });
      const kept: KeptRows = [];
      const predictions = await unet.predict([banked(1, 0), row(2), banked(3, 2)], shape, kept);
      assert.deepEqual(
        predictions.map(([value]) => value),
        [1, 2, 3],
      );
      assert.deepEqual(
        kept.map((layers) => layers.map((values) => [values.length, values[0], values.at(-1)])),
        [[[slotLength, 10, 10]], [], [[slotLength, 30, 30]]],
        'also in several calls',
      );
      assert.deepEqual(calls[0].outputs, ['out_sample', 'bank_0_out']);
    }
    const { unet, calls } = await create();
    await unet.predict([row(1)], shape, []);
    await unet.predict([banked(1, 1)], shape);
    assert.deepEqual(
      calls.map(({ outputs }) => outputs),
      [['out_sample'], ['out_sample']],
      'outputs that nobody needs are not computed',
    );
  });

  it('can be blank, with values for all inputs', () => {
    const { conditioning } = blankRow(folder, shape, 500, { unet: steered.unet });
    const lengths = Object.entries(conditioning).map(([name, { length }]) => [name, length]);
    assert.deepEqual(Object.fromEntries(lengths), {
      encoder_hidden_states: textLength * textWidth,
      control_0_feature_0: 6,
      control_0_scale: 1,
      control_1_feature_0: 6,
      control_1_scale: 1,
      bank_0: slotLength,
      bank_mask: 1,
    });
  });
});
