import assert from 'node:assert/strict';
import { it } from 'node:test';
import { NotFiniteError } from '../../../../src/engine/worker/networks/finite.js';
import { latentShape } from '../../../../src/engine/worker/networks/sizes.js';
import { TrialPicture } from '../../../../src/engine/worker/calibration/trial-picture.js';
import { readModelFolder, type ModelFolder } from '../../../../src/model/folder.js';
import { tinyModel } from '../../../support/engine.js';

type Networks = ConstructorParameters<typeof TrialPicture>[0];

const folder = await readModelFolder(tinyModel);
const width = 64;
const height = 48;

interface Rig {
  readonly trial: TrialPicture;
  readonly pictures: Uint8Array[];
  readonly prompts: string[];
  readonly calls: {
    readonly rows: number;
    readonly timestep: number | undefined;
    readonly input: Float32Array;
  }[];
}

function setUp(defaults: ModelFolder['defaults'] = {}, predicted = 0): Rig {
  const own = { ...folder, defaults: { ...folder.defaults, width, height, ...defaults } };
  const pictures: Uint8Array[] = [];
  const prompts: string[] = [];
  const calls: Rig['calls'] = [];
  const networks: Networks = {
    folder: own,
    latentShape: (size) => latentShape(own, size),
    embed(prompt) {
      prompts.push(prompt);
      return Promise.resolve({ encoder_hidden_states: new Float32Array(3) });
    },
    encodeOne(pixels, size) {
      assert.deepEqual(size, { width, height });
      pictures.push(pixels.slice());
      const shape = latentShape(own, size);
      return Promise.resolve(new Float32Array(shape[0] * shape[1] * shape[2]).fill(pictures.length));
    },
    predict(rows, shape) {
      assert.deepEqual(shape, latentShape(own, { width, height }));
      calls.push({
        rows: rows.length,
        timestep: rows[0]?.stage.timestep,
        input: rows[0]?.input.slice() ?? new Float32Array(0),
      });
      return Promise.resolve(rows.map(({ input }) => new Float32Array(input.length).fill(predicted)));
    },
    decodeOne(latent, size, out) {
      assert.deepEqual([latent.length > 0, size, out.length], [true, { width, height }, width * height * 3]);
      out.fill(40 + pictures.length);
      return Promise.resolve();
    },
  };
  return { trial: new TrialPicture(networks), pictures, prompts, calls };
}

it('a trial picture is one step of one row with the default prompt, the prompt embedded once', async () => {
  const { trial, prompts, calls } = setUp({
    prompt: 'a fox',
    steps: 3,
    t_index_list: [10, 20],
    cfg_type: 'full',
  });
  for (const drawn of [41, 42]) {
    const picture = await trial.draw();
    assert.equal(picture.length, width * height * 3);
    assert.ok(picture.every((value) => value === drawn));
  }
  assert.deepEqual(prompts, ['a fox']);
  assert.deepEqual(
    calls.map(({ rows }) => rows),
    [1, 1],
  );
  assert.notDeepEqual(calls[0]?.input, calls[1]?.input, 'it depends on the picture');
  const blended = setUp({
    prompt: [
      { text: 'first', weight: 1 },
      { text: 'second', weight: 1 },
    ],
  });
  await blended.trial.draw();
  assert.deepEqual(blended.prompts, ['first']);
});

it('a U-Net whose output is not finite is named', async () => {
  await assert.rejects(setUp({}, NaN).trial.draw(), (error) => {
    assert.ok(error instanceof NotFiniteError);
    assert.equal(error.part, 'unet');
    return true;
  });
});

it('a trial picture has gradients, red and blue across and green down, and a chequered pattern of 16 pixels', async () => {
  const { trial, pictures } = setUp();
  await trial.draw();
  const [picture] = pictures;
  assert.equal(picture?.length, width * height * 3);
  const at = (x: number, y: number): readonly number[] => [
    ...picture.subarray((y * width + x) * 3, (y * width + x + 1) * 3),
  ];
  const colours = [
    [0, 0, [55, 55, 200]],
    [15, 15, [101, 117, 153]],
    [16, 15, [50, 62, 150]],
    [15, 16, [46, 66, 153]],
    [16, 16, [105, 121, 150]],
    [32, 0, [155, 55, 100]],
    [0, 32, [55, 188, 200]],
    [48, 0, [150, 0, 50]],
    [63, 47, [196, 195, 3]],
    [47, 47, [201, 250, 53]],
  ] as const;
  for (const [x, y, colour] of colours) assert.deepEqual(at(x, y), colour, `${x}, ${y}`);
});
