import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import type { Row } from '../../../../src/diffusion/stream.js';
import { OnnxPart } from '../../../../src/engine/worker/networks/onnx-part.js';
import { PrecomputedValues } from '../../../../src/engine/worker/networks/precomputed-values.js';
import { blankRow, Unet } from '../../../../src/engine/worker/networks/unet.js';
import { readModelFolder, type ModelFolder } from '../../../../src/model/folder.js';
import { readGraphFile } from '../../../../src/model/layout/graph-file.js';
import { readPrecomputed } from '../../../../src/model/layout/precomputed.js';
import { unetLayout } from '../../../../src/model/layout/unet.js';
import { ModelError } from '../../../../src/model/model-error.js';
import { tinyModel } from '../../../support/engine.js';
import { onnxGraph, type GraphParts } from '../../../support/onnx-graph.js';
import { unetConfig } from '../../../support/unet-config.js';

const [float32, int64] = [1, 7];
const [channels, textWidth] = [2, 3];
const shape = [channels, 2, 2] as const;
const latent = ['batch', channels, 'height', 'width'] as const;
const guidanceWidth = 16;

/** The prediction: sample + twice the sum of the prompt + timestep, and again 10 for the second channel + guidance. */
const graphs: Readonly<Record<'unet' | 'unet_keys' | 'unet_time', GraphParts>> = {
  unet: {
    inputs: [
      ['sample', float32, latent],
      ['prompt_keys', float32, ['batch', 'sequence', textWidth]],
      ['time_features', float32, ['batch', channels]],
    ],
    outputs: [['out_sample', float32, latent]],
    constants: [
      ['last', [2], [1n, 2n]],
      ['maps', [2], [2n, 3n]],
      ['map', [1], [3n]],
    ],
    nodes: [
      ['ReduceSum', ['prompt_keys', 'last'], 'sum'],
      ['Unsqueeze', ['sum', 'map'], 'text'],
      ['Unsqueeze', ['time_features', 'maps'], 'time'],
      ['Add', ['sample', 'text'], 'both'],
      ['Add', ['both', 'time'], 'out_sample'],
    ],
  },
  unet_keys: {
    inputs: [['encoder_hidden_states', float32, ['batch', 'sequence', textWidth]]],
    outputs: [['prompt_keys', float32, ['batch', 'sequence', textWidth]]],
    constants: [['two', [1], [2]]],
    nodes: [['Mul', ['encoder_hidden_states', 'two'], 'prompt_keys']],
  },
  unet_time: {
    inputs: [
      ['timestep', int64, ['batch']],
      ['timestep_cond', float32, ['batch', guidanceWidth]],
    ],
    outputs: [['time_features', float32, ['batch', channels]]],
    constants: [
      ['axis', [1], [1n]],
      ['offsets', [1, channels], [0, 10]],
    ],
    nodes: [
      ['CastLike', ['timestep', 'offsets'], 'number'],
      ['Unsqueeze', ['number', 'axis'], 'column'],
      ['ReduceSum', ['timestep_cond', 'axis'], 'guidance'],
      ['Add', ['column', 'guidance'], 'whole'],
      ['Add', ['whole', 'offsets'], 'time_features'],
    ],
  },
};

const config = unetConfig({ channels, textWidth, guidanceWidth });

const root = await mkdtemp(join(tmpdir(), 'millrace-precomputed-'));
after(() => rm(root, { recursive: true }));

async function write(changes: Partial<Record<keyof typeof graphs, GraphParts>> = {}): Promise<void> {
  for (const [part, graph] of Object.entries({ ...graphs, ...changes })) {
    await mkdir(join(root, part), { recursive: true });
    await writeFile(join(root, part, 'model.onnx'), onnxGraph(graph));
  }
}
beforeEach(() => write());

async function readFolder(): Promise<ModelFolder> {
  const graph = await readGraphFile(join(root, 'unet/model.onnx'));
  const precomputed = await readPrecomputed(root, graph);
  const unet = unetLayout(graph, config, 'config.json', { precomputed });
  const tiny = await readModelFolder(tinyModel);
  const layout = { ...tiny.layout, unet };
  return { ...tiny, textWidth, textLength: 1, latentChannels: channels, layout };
}

interface Rig extends AsyncDisposable {
  readonly folder: ModelFolder;
  readonly unet: Unet;
  /** How often each small graph ran. */
  readonly runs: { keys: number; time: number };
}

async function open(): Promise<Rig> {
  const folder = await readFolder();
  const { unet } = folder.layout;
  assert.ok(unet.precomputed);
  const { keys, time } = unet.precomputed;
  const parts = await Promise.all(
    [unet.graph, keys.graph, time.graph].map(({ file }) => OnnxPart.load(file, {})),
  );
  const [own, ...small] = parts;
  const runs = { keys: 0, time: 0 };
  const counted = (name: keyof typeof runs, part: OnnxPart | undefined): Pick<OnnxPart, 'run'> => ({
    run(...call) {
      runs[name] += 1;
      assert.ok(part);
      return part.run(...call);
    },
  });
  const precomputed = [
    new PrecomputedValues(folder, unet, keys, counted('keys', small[0])),
    new PrecomputedValues(folder, unet, time, counted('time', small[1])),
  ];
  assert.ok(own);
  const network = await Unet.create(folder, own, { unet, precomputed });
  runs.keys = 0;
  runs.time = 0;
  return {
    folder,
    unet: network,
    runs,
    async [Symbol.asyncDispose]() {
      for (const part of parts) await part[Symbol.asyncDispose]();
    },
  };
}

function row(prompt: Float32Array, timestep: number, guidance?: Float32Array): Row {
  return {
    role: 'positive',
    stage: { timestep, a: 1, b: 1, inputScale: 1 },
    input: new Float32Array(channels * 4).fill(1000),
    conditioning: { encoder_hidden_states: prompt, ...(guidance && { timestep_cond: guidance }) },
  };
}

/** Returns the first value of both channels for each row. */
async function predict(unet: Unet, rows: readonly Row[]): Promise<readonly (readonly number[])[]> {
  return (await unet.predict(rows, shape)).map((values) => [values[0] ?? NaN, values[4] ?? NaN]);
}

const [one, two] = [Float32Array.of(1, 0, 0), Float32Array.of(1, 1, 0)];
const off = new Float32Array(guidanceWidth);
const scale = off.slice().fill(1 / guidanceWidth);

describe('a U-Net whose prompt and timestep are precomputed', () => {
  it('gives each row the values of its own prompt, timestep and guidance', async () => {
    await using rig = await open();
    const rows = [row(one, 100, off), row(two, 100, scale), row(one, 200, scale)];
    assert.deepEqual(await predict(rig.unet, rows), [
      [1102, 1112],
      [1105, 1115],
      [1203, 1213],
    ]);
  });

  it('computes each of them once, for all rows and calls', async () => {
    await using rig = await open();
    const rows = [row(one, 100, off), row(two, 100, off), row(one, 200, off), row(one, 100, off)];
    const first = await predict(rig.unet, rows);
    assert.deepEqual(rig.runs, { keys: 2, time: 2 });
    assert.deepEqual(await predict(rig.unet, [...rows].reverse()), [...first].reverse());
    assert.deepEqual(rig.runs, { keys: 2, time: 2 });
  });

  it('computes the keys again for the same values in other memory, as a transition makes them', async () => {
    await using rig = await open();
    const prompt = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
    for (const now of [prompt, prompt.slice(), prompt.map((value) => 2 * value), prompt]) {
      const [[first] = []] = await predict(rig.unet, [row(now, 100, off)]);
      assert.equal(first, 1100 + 2 * now.reduce((sum, value) => sum + value));
    }
    assert.deepEqual(rig.runs, { keys: 3, time: 1 });
  });

  it('takes prompts of several chunks, each length in a call of its own', async () => {
    await using rig = await open();
    assert.equal(rig.unet.takesChunks, true);
    const long = Float32Array.of(1, 2, 3, 4, 5, 6);
    const rows = [row(long, 100, off), row(one, 100, off), row(long, 100, off)];
    assert.deepEqual(
      (await predict(rig.unet, rows)).map(([value]) => value),
      [1142, 1102, 1142],
    );
  });

  it('gets prompts and timesteps too if its graph takes them, as with ControlNets', async () => {
    const { unet } = graphs;
    await write({
      unet: {
        ...unet,
        inputs: [
          ...unet.inputs,
          ['timestep', int64, ['batch']],
          ['encoder_hidden_states', float32, ['batch', 'sequence', textWidth]],
        ],
        nodes: [
          ...(unet.nodes ?? []).slice(0, -1),
          ['Add', ['both', 'time'], 'whole'],
          ['CastLike', ['timestep', 'sample'], 'number'],
          ['ReduceSum', ['encoder_hidden_states', 'last'], 'prompt'],
          ['Unsqueeze', ['prompt', 'map'], 'again'],
          ['Add', ['whole', 'again'], 'more'],
          ['ReduceMax', ['number'], 'latest'],
          ['Add', ['more', 'latest'], 'out_sample'],
        ],
      },
    });
    await using rig = await open();
    const rows = [row(one, 100, off), row(two, 300, off)];
    assert.deepEqual(
      (await predict(rig.unet, rows)).map(([value]) => value),
      [1102 + 1 + 300, 1304 + 2 + 300],
    );
  });

  it('takes blank rows, which the calibration measures with', async () => {
    await using rig = await open();
    const { unet } = rig.folder.layout;
    const blank = blankRow(rig.folder, shape, 500, { unet });
    assert.deepEqual(Object.keys(blank.conditioning).sort(), ['encoder_hidden_states', 'timestep_cond']);
    assert.deepEqual(await predict(rig.unet, [blank, blank]), [
      [500, 510],
      [500, 510],
    ]);
  });
});

describe('the layout of such a U-Net', () => {
  const refused = (pattern: RegExp): Promise<void> =>
    assert.rejects(readFolder(), (error) => error instanceof ModelError && pattern.test(error.message));

  it('has the inputs of all graphs, with a timestep for each row', async () => {
    const { unet } = (await readFolder()).layout;
    assert.deepEqual(
      unet.inputs.map(({ port }) => port.name),
      ['sample', 'timestep', 'encoder_hidden_states', 'timestep_cond'],
    );
    assert.equal(unet.timesteps, 'rows');
    assert.equal(unet.tokens, null);
    assert.equal(unet.precomputed?.keys.width, textWidth);
  });

  it('is refused without a small graph, by its folder', async () => {
    await rm(join(root, 'unet_time'), { recursive: true });
    await refused(/unet_time/);
  });

  it('is refused if a small graph is of another model', async () => {
    const { unet_time: time } = graphs;
    const other = { ...time, outputs: [['time_features', float32, ['batch', 7]]] as const };
    await write({ unet_time: other });
    await refused(/time_features.*\[batch, 7\].*requires 2, not 7/);
  });

  it('is refused if a small graph takes what no row has', async () => {
    const { unet_keys: keys } = graphs;
    await write({ unet_keys: { ...keys, inputs: [...keys.inputs, ['mood', float32, ['batch']]] } });
    await refused(/needs an input "mood"/);
  });

  it('is refused if the width of what it takes is open', async () => {
    const { unet } = graphs;
    const [sample, , time] = unet.inputs;
    assert.ok(sample && time);
    await write({
      unet: { ...unet, inputs: [sample, ['prompt_keys', float32, ['batch', 'sequence', 'width']], time] },
    });
    await refused(/"prompt_keys" has no fixed width/);
  });
});
