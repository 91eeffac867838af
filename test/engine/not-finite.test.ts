import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { StreamParameters } from '@millrace/protocol';
import type { ModelPart } from '../../src/engine/model-part.js';
import { ParameterError } from '../../src/engine/engine.js';
import type { Image } from '../../src/image/image.js';
import { ModelCopy } from '../model/model-copy.js';
import {
  drawOnce,
  RecordedStream,
  startEngine,
  testImage,
  tinyModel,
  tinyParameters,
  type TestEngine,
} from '../support/engine.js';
import { startBorrowedEngine } from '../support/engine-pool.js';
import { above, always, spoil, type Spoiling } from '../support/onnx-spoil.js';

const replace = { replace: false } as const;
/** Its id in CLIP's vocabulary. */
const dragon = 5471;

/** Each part, always broken, with the error at the start of the engine. */
const broken: readonly (readonly [string, Spoiling, RegExp])[] = [
  [
    'vae_decoder',
    always('sample', NaN),
    /the VAE decoder computes NaN or infinite values.*VAE in float32.*--vae/,
  ],
  ['vae_decoder', always('sample', -Infinity), /the VAE decoder computes/],
  [
    'vae_encoder',
    always('latent_sample', NaN),
    /the VAE encoder computes NaN or infinite values.*VAE in float32.*--vae/,
  ],
  ['vae_encoder', always('latent_sample', Infinity), /the VAE encoder computes/],
  ['unet', always('out_sample', NaN), /the U-Net computes NaN or infinite values.*in float32/],
  ['unet', always('out_sample', Infinity), /the U-Net computes/],
  ['text_encoder', always('last_hidden_state', NaN), /the text encoder computes .*in float32/],
];

describe('an engine whose model always computes values that are not finite', () => {
  for (const [part, spoiling, message] of broken) {
    it(`does not start and says why: ${part}, ${spoiling.constants['spoil']?.join()}`, async () => {
      await using copy = await ModelCopy.create(tinyModel);
      await spoil(join(copy.folder, part, 'model.onnx'), spoiling);
      await assert.rejects(startEngine(copy.folder), message);
    });
  }
});

describe('an engine whose model sometimes computes values that are not finite', () => {
  let copy: ModelCopy;
  let spoiled: TestEngine;
  let sound: TestEngine;
  const started: AsyncDisposable[] = [];
  const faults: ModelPart[] = [];

  before(async () => {
    copy = await ModelCopy.create(tinyModel);
    const graph = (part: string): string => join(copy.folder, part, 'model.onnx');
    // White pictures, the first timesteps, the word dragon, and pictures of 96 pixels and wider.
    const white = above('latent_sample', 0.99, [['ReduceMax', ['sample'], 'value']]);
    await spoil(graph('vae_encoder'), white);
    const early = above(
      'out_sample',
      950,
      [
        ['Cast', ['timestep'], 'times'],
        ['Reshape', ['times', 'rows'], 'value'],
      ],
      { rows: [-1n, 1n, 1n, 1n] },
    );
    await spoil(graph('unet'), early);
    const named = above(
      'last_hidden_state',
      0.5,
      [
        ['Equal', ['input_ids', 'word'], 'equal'],
        ['Cast', ['equal'], 'found'],
        ['ReduceMax', ['found'], 'most'],
        ['Reshape', ['most', 'one'], 'value'],
      ],
      { word: [BigInt(dragon)], one: [1n] },
    );
    await spoil(graph('text_encoder'), named);
    const wide = above(
      'sample',
      11,
      [
        ['Shape', ['latent_sample'], 'shape'],
        ['Gather', ['shape', 'last'], 'width'],
        ['Cast', ['width'], 'value'],
      ],
      { last: [3n] },
    );
    await spoil(graph('vae_decoder'), wide);
    sound = await startBorrowedEngine(tinyModel);
    started.push(sound);
    spoiled = await startEngine(copy.folder, {
      observer: {
        onState: () => {},
        onNote: () => {},
        onEvent: (event) => event.type === 'not_finite' && faults.push(event.part),
      },
    });
    started.push(spoiled);
  });
  after(async () => {
    for (const engine of started) await engine[Symbol.asyncDispose]();
    await copy[Symbol.asyncDispose]();
  });

  /** Returns the result of a sound engine for this frame in a separate stream. */
  const right = (parameters: StreamParameters, frame: number): Promise<Uint8Array> =>
    drawOnce(sound.engine, parameters, testImage(frame, parameters));

  it('drops such frames of one stream, and the other in the same batch gets its results', async () => {
    faults.length = 0;
    const good = tinyParameters({ t_index_list: [18, 35], cfg_type: 'self', guidance_scale: 1.4 });
    const bad = tinyParameters({ t_index_list: [0, 35], cfg_type: 'self', guidance_scale: 1.4 });
    const one = await RecordedStream.open(spoiled.engine, good);
    const other = await RecordedStream.open(spoiled.engine, bad);
    for (let frame = 0; frame < 4; frame++) {
      one.stream.push(frame, { image: testImage(frame, good) }, replace);
      other.stream.push(frame, { image: testImage(frame, bad) }, replace);
    }
    await one.until(() => one.answered === 4);
    await other.until(() => other.answered === 4);
    assert.deepEqual([...other.dropped.values()], Array(4).fill('failed'));
    assert.deepEqual(faults, Array(4).fill('unet'));
    for (const [frame, picture] of one.results)
      assert.deepEqual(picture, await right(good, frame), `${frame}`);
    assert.equal(one.results.size, 4);

    // With other timesteps the stream continues as if nothing had happened.
    await other.stream.configure(good);
    other.stream.push(4, { image: testImage(4, good) }, replace);
    await other.until(() => other.answered === 5);
    assert.deepEqual(other.results.get(4), await right(good, 4));
    one.stream.close();
    other.stream.close();
  });

  it('drops a frame that cannot be encoded, and compares no later frame with it', async () => {
    faults.length = 0;
    const parameters = tinyParameters({
      similar_image_filter: true,
      similar_image_filter_threshold: 0.5,
      similar_image_filter_max_skip_frame: 100,
    });
    const { width, height } = parameters;
    const white = (): Image => ({
      width,
      height,
      data: new Uint8Array(width * height * 3).fill(255),
    });
    const stream = await RecordedStream.open(spoiled.engine, parameters);
    for (let frame = 0; frame < 3; frame++) {
      stream.stream.push(frame, { image: white() }, replace);
      await stream.until(() => stream.answered === frame + 1);
    }
    // The failed frames have no picture that another could repeat.
    assert.deepEqual([...stream.dropped.values()], ['failed', 'failed', 'failed']);
    assert.deepEqual(faults, ['vae_encoder', 'vae_encoder', 'vae_encoder']);
    stream.stream.push(3, { image: testImage(3, parameters) }, replace);
    await stream.until(() => stream.answered === 4);
    assert.deepEqual(stream.results.get(3), await right({ ...parameters, similar_image_filter: false }, 3));
    stream.stream.close();
  });

  it('refuses a prompt that cannot be embedded, and leaves the stream unchanged', async () => {
    faults.length = 0;
    const parameters = tinyParameters();
    const refused = (error: unknown): boolean =>
      error instanceof ParameterError && error.field === 'prompt' && /NaN or infinite/.test(error.message);
    const dragons = { ...parameters, prompt: 'a dragon' };
    await assert.rejects(RecordedStream.open(spoiled.engine, dragons), refused);
    const stream = await RecordedStream.open(spoiled.engine, parameters);
    const blended = [
      { text: 'a fox', weight: 1 },
      { text: 'a dragon', weight: 1 },
    ];
    await assert.rejects(stream.stream.configure({ ...parameters, prompt: blended }), refused);
    await assert.rejects(stream.stream.configure({ ...parameters, negative_prompt: 'dragon' }), refused);
    stream.stream.push(0, { image: testImage(0, parameters) }, replace);
    await stream.until(() => stream.answered === 1);
    assert.deepEqual(stream.results.get(0), await right(parameters, 0));
    assert.deepEqual(faults, Array(3).fill('text_encoder'));
    stream.stream.close();
  });

  it('drops a frame that cannot be decoded', async () => {
    faults.length = 0;
    const wide = tinyParameters({ width: 96, height: 48 });
    const stream = await RecordedStream.open(spoiled.engine, wide);
    stream.stream.push(0, { image: testImage(0, wide) }, replace);
    await stream.until(() => stream.answered === 1);
    assert.deepEqual([stream.dropped.get(0), faults], ['failed', ['vae_decoder']]);
    const narrow = tinyParameters();
    await stream.stream.configure(narrow);
    stream.stream.push(1, { image: testImage(1, narrow) }, replace);
    await stream.until(() => stream.answered === 2);
    assert.deepEqual(stream.results.get(1), await right(narrow, 1));
    stream.stream.close();
  });
});
