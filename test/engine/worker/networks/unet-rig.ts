import assert from 'node:assert/strict';
import type { Row } from '../../../../src/diffusion/stream.js';
import type { Feed } from '../../../../src/engine/worker/networks/onnx-part.js';
import { Unet } from '../../../../src/engine/worker/networks/unet.js';
import { readModelFolder, type ModelFolder } from '../../../../src/model/folder.js';
import type { NumberPort } from '../../../../src/model/layout/ports.js';
import type { UnetInput, UnetLayout } from '../../../../src/model/layout/unet.js';
import { tinyModel } from '../../../support/engine.js';

const tiny = await readModelFolder(tinyModel);
const [any] = tiny.layout.unet.inputs;
export const textLength = 2;
export const textWidth = 3;
export const port = (
  name: string,
  shape: NumberPort['shape'],
  type: NumberPort['type'] = 'float32',
): NumberPort => ({
  ...any.port,
  name,
  type,
  shape,
});
export function inputsWith(timestep: NumberPort): readonly UnetInput[] {
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
export function withVectors(
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
export async function create(
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
    runFor: () => assert.fail('a U-Net without a bank has one output'),
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

export const shape = [1, 1, 2] as const;

/** Returns a row of two values, whose prompt is one token: its number. */
export function row(number: number, timestep: number, more: Partial<Row['conditioning']> = {}): Row {
  return {
    role: 'positive',
    stage: { timestep, a: 1, b: 1, inputScale: 1 },
    input: Float32Array.of(number, -number),
    conditioning: { encoder_hidden_states: new Float32Array(textWidth).fill(number), ...more },
  };
}

export async function predictions(unet: Unet, rows: readonly Row[]): Promise<readonly (readonly number[])[]> {
  return (await unet.predict(rows, shape)).map((values) => Array.from(values));
}

export const rows = [row(1, 512), row(2, 256), row(3, 512), row(4, 512), row(5, 256)];
export const wanted = [
  [1.5, -0.5],
  [2.25, -1.75],
  [3.5, -2.5],
  [4.5, -3.5],
  [5.25, -4.75],
];
