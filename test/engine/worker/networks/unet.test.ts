import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Row } from '../../../../src/diffusion/stream.js';
import type { Feed } from '../../../../src/engine/worker/networks/onnx-part.js';
import { guidanceConditioning } from '../../../../src/engine/worker/networks/guidance-embedding.js';
import { blankRow, Unet } from '../../../../src/engine/worker/networks/unet.js';
import { readModelFolder, type ModelFolder } from '../../../../src/model/folder.js';
import type { NumberPort } from '../../../../src/model/layout/ports.js';
import type { UnetInput, UnetLayout } from '../../../../src/model/layout/unet.js';
import { tinyModel } from '../../../support/engine.js';

const tiny = await readModelFolder(tinyModel);
const [any] = tiny.layout.unet.inputs;
const textLength = 2;
const textWidth = 3;
const port = (
  name: string,
  shape: NumberPort['shape'],
  type: NumberPort['type'] = 'float32',
): NumberPort => ({
  ...any.port,
  name,
  type,
  shape,
});
function inputsWith(timestep: NumberPort): readonly UnetInput[] {
  const isScalar = timestep.shape.length === 0;
  return [
    {
      port: port('sample', ['b', 'c', 'h', 'w']),
      from: 'sample',
      shape: ({ rows, height, width }) => [rows, 1, height, width],
    },
    { port: timestep, from: 'timestep', shape: ({ timesteps }) => (isScalar ? [] : [timesteps]) },
    {
      port: port('encoder_hidden_states', ['b', 't', textWidth]),
      from: 'conditioning',
      shape: ({ rows, tokens }) => [rows, tokens, textWidth],
    },
  ];
}

/** Adds inputs with one vector for each row to those of a plain U-Net. */
function withVectors(
  ...more: readonly (readonly [name: string, from: UnetInput['from'], width: number])[]
): Partial<UnetLayout> {
  const inputs = more.map(([name, from, width]): UnetInput => ({
    port: port(name, ['b', width]),
    from,
    shape: ({ rows }) => [rows, width],
  }));
  return { inputs: [...plain.inputs, ...inputs] };
}

const plain: UnetLayout = {
  ...tiny.layout.unet,
  inputs: inputsWith(port('timestep', ['b'], 'int64')),
  timesteps: 'rows',
  output: port('out', ['b', 'c', 'h', 'w']),
  rows: null,
  tokens: null,
  height: null,
  width: null,
};

/** A call in short: shapes, and the first value of each row. */
type Call = Readonly<Record<string, { readonly shape: readonly number[]; readonly data: readonly number[] }>>;

function callOf(feeds: readonly Feed[]): Call {
  return Object.fromEntries(
    feeds.map(({ port: { name }, data, shape }) => [name, { shape, data: Array.from(data, Number) }]),
  );
}

/** Creates a U-Net that predicts for each row its sample plus a thousandth of its timestep. */
async function create(
  changes: Partial<UnetLayout> = {},
  accepts: (call: Call) => boolean = () => true,
  more: Partial<ModelFolder> = {},
): Promise<{
  readonly unet: Unet;
  readonly calls: Call[];
  readonly trials: Call[];
  readonly folder: ModelFolder;
}> {
  const calls: Call[] = [];
  const trials: Call[] = [];
  const folder: ModelFolder = {
    ...tiny,
    latentChannels: 1,
    pixelFactor: 8,
    networkFactor: 16,
    textLength,
    textWidth,
    layout: { ...tiny.layout, unet: { ...plain, ...changes } },
    ...more,
  };
  const unet = await Unet.create(folder, {
    accepts(feeds) {
      const trial = callOf(feeds);
      trials.push(trial);
      return Promise.resolve(accepts(trial));
    },
    run(feeds, output, shape) {
      const call = callOf(feeds);
      calls.push(call);
      assert.equal(output.name, 'out');
      assert.deepEqual(shape, call['sample'].shape);
      const { data } = call['sample'];
      const timesteps = call['timestep'].data;
      const length = data.length / shape[0];
      return Promise.resolve(
        Float32Array.from(
          data,
          (value, i) => value + (timesteps[Math.floor(i / length)] ?? timesteps[0]) / 1024,
        ),
      );
    },
  });
  return { unet, calls, trials, folder };
}

const shape = [1, 1, 2] as const;

/** Returns a row of two values, whose prompt is one token: its number. */
function row(number: number, timestep: number, more: Partial<Row['conditioning']> = {}): Row {
  return {
    role: 'positive',
    stage: { timestep, a: 1, b: 1, inputScale: 1 },
    input: Float32Array.of(number, -number),
    conditioning: { encoder_hidden_states: new Float32Array(textWidth).fill(number), ...more },
  };
}

async function predictions(unet: Unet, rows: readonly Row[]): Promise<readonly (readonly number[])[]> {
  return (await unet.predict(rows, shape)).map((values) => Array.from(values));
}

const rows = [row(1, 512), row(2, 256), row(3, 512), row(4, 512), row(5, 256)];
const wanted = [
  [1.5, -0.5],
  [2.25, -1.75],
  [3.5, -2.5],
  [4.5, -3.5],
  [5.25, -4.75],
];

describe('rows', () => {
  it('go into one call where each has its own timestep', async () => {
    const { unet, calls } = await create();
    assert.deepEqual(await predictions(unet, rows), wanted);
    assert.deepEqual(calls, [
      {
        sample: { shape: [5, 1, 1, 2], data: [1, -1, 2, -2, 3, -3, 4, -4, 5, -5] },
        timestep: { shape: [5], data: [512, 256, 512, 512, 256] },
        encoder_hidden_states: { shape: [5, 1, 3], data: [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5] },
      },
    ]);
  });

  it('are grouped by timestep if a call has only one, and come back in order', async () => {
    const { unet, calls } = await create({ timesteps: 'one' });
    assert.deepEqual(await predictions(unet, rows), wanted);
    assert.deepEqual(
      calls.map(({ sample, timestep }) => [
        sample.data.filter((value) => value > 0),
        timestep.shape,
        timestep.data,
      ]),
      [
        [[1, 3, 4], [1], [512]],
        [[2, 5], [1], [256]],
      ],
    );
    const scalar = await create({ timesteps: 'one', inputs: inputsWith(port('timestep', [], 'int64')) });
    assert.deepEqual(await predictions(scalar.unet, rows), wanted);
    assert.deepEqual(scalar.calls[0]['timestep'], { shape: [], data: [512] });
  });

  it('fill calls of the number that the export fixed, the last one padded', async () => {
    const { unet, calls } = await create({ rows: 2 });
    assert.deepEqual(await predictions(unet, rows), wanted);
    assert.deepEqual(
      calls.map(({ sample, timestep }) => [
        sample.shape[0],
        sample.data.filter((value) => value > 0),
        timestep.data,
      ]),
      [
        [2, [1, 2], [512, 256]],
        [2, [3, 4], [512, 512]],
        [2, [5, 5], [256, 256]],
      ],
    );
    const both = await create({ rows: 2, timesteps: 'one' });
    assert.deepEqual(await predictions(both.unet, rows), wanted);
    assert.equal(both.calls.length, 3);
    assert.deepEqual(await predictions(both.unet, rows.slice(0, 1)), wanted.slice(0, 1));
    assert.deepEqual(await predictions((await create({ rows: 1 })).unet, rows), wanted);
  });
});

describe('further inputs of a U-Net', () => {
  it('include its embedded guidance scale, 1 by default', async () => {
    const { unet, calls, folder } = await create(withVectors(['timestep_cond', 'conditioning', 4]));
    const scaled = (scale: number): object => guidanceConditioning(folder.layout.unet, scale) ?? {};
    await unet.predict([row(1, 512, scaled(1)), row(2, 512), row(3, 512, scaled(8))], shape);
    const { shape: sizes, data } = calls[0]['timestep_cond'];
    assert.deepEqual(sizes, [3, 4]);
    assert.deepEqual(data.slice(0, 4), data.slice(4, 8));
    assert.notDeepEqual(data.slice(0, 4), data.slice(8));
  });

  it('include the pooled prompt, and the size of the picture as uncropped', async () => {
    const { unet, calls } = await create(
      withVectors(['text_embeds', 'conditioning', 2], ['time_ids', 'size', 6]),
    );
    const pooled = (...values: number[]): object => ({ text_embeds: Float32Array.from(values) });
    await unet.predict([row(1, 512, pooled(7, 8)), row(2, 512, pooled(9, 10))], shape);
    assert.deepEqual(calls[0]['text_embeds'], { shape: [2, 2], data: [7, 8, 9, 10] });
    const size = [8, 16, 0, 0, 8, 16];
    assert.deepEqual(calls[0]['time_ids'], { shape: [2, 6], data: [...size, ...size] });
  });

  it('get nothing of another length, which would leave values of other rows in the call', async () => {
    const { unet, calls } = await create(withVectors(['text_embeds', 'conditioning', 2]));
    const rows = [row(1, 512, { text_embeds: Float32Array.of(7, 8) })];
    for (const length of [1, 3]) {
      const wrong = row(2, 512, { text_embeds: new Float32Array(length) });
      await assert.rejects(unet.predict([...rows, wrong], shape), {
        name: 'RangeError',
        message: `text_embeds: a row has ${length} values, not 2`,
      });
    }
    assert.deepEqual(calls, []);
  });
});

describe('properties that a graph does not declare', () => {
  const side = 16 / 8;
  const sample = { shape: [2, 1, side, side], data: Array.from({ length: 2 * side * side }, () => 0) };
  const text = (chunks: number): object => ({
    shape: [2, chunks * textLength, textWidth],
    data: Array.from({ length: 2 * chunks * textLength * textWidth }, () => 0),
  });

  it('are tried: a timestep for each row, and two chunks of tokens', async () => {
    const mixed = { shape: [2], data: [800, 700] };
    const { unet, trials } = await create({ timesteps: 'perhaps' });
    assert.deepEqual([unet.mixesTimesteps, unet.takesChunks], [true, true]);
    assert.deepEqual(trials, [
      { sample, timestep: mixed, encoder_hidden_states: text(1) },
      { sample, timestep: mixed, encoder_hidden_states: text(2) },
    ]);
    const refusing = await create({ timesteps: 'perhaps' }, () => false);
    assert.deepEqual([refusing.unet.mixesTimesteps, refusing.unet.takesChunks], [false, false]);
    assert.deepEqual(refusing.trials[1], {
      sample,
      timestep: { shape: [1], data: [800] },
      encoder_hidden_states: text(2),
    });
  });

  it('are not tried if it does declare them', async () => {
    for (const [timesteps, mixes] of [
      ['rows', true],
      ['one', false],
    ] as const) {
      const { unet, trials } = await create({ timesteps, tokens: textLength });
      assert.deepEqual([unet.mixesTimesteps, unet.takesChunks, trials], [mixes, false, []]);
    }
  });

  it('are tried with the rows and the size that the export fixed', async () => {
    const { trials } = await create({ rows: 3, height: 4, width: 5 });
    assert.deepEqual(
      trials.map((trial) => [trial['sample'].shape, trial['timestep'].data]),
      [
        [
          [3, 1, 4, 5],
          [800, 700, 600],
        ],
      ],
    );
  });
});

it('a blank row is all zeros, with an empty prompt of the same number of chunks', async () => {
  const { folder } = await create();
  assert.deepEqual(blankRow(folder, [1, 2, 3], 500), {
    role: 'positive',
    stage: { timestep: 500, a: 1, b: 1, inputScale: 1 },
    input: new Float32Array(6),
    conditioning: { encoder_hidden_states: new Float32Array(6) },
  });
  const { conditioning } = blankRow(folder, [1, 2, 3], 500, 2);
  assert.equal(conditioning.encoder_hidden_states.length, 12);
});
