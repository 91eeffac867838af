import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { Row, RowValues } from '../../../../src/diffusion/stream.js';
import { ModelRuntime } from '../../../../src/engine/worker/networks/runtime.js';
import type { KeptRows } from '../../../../src/engine/worker/networks/unet.js';
import { readModelFolder } from '../../../../src/model/folder.js';
import { assertClose } from '../../../support/compare.js';
import { testImage, tinyModel } from '../../../support/engine.js';
import { steeredModel } from '../../../support/steered-model.js';

const folder = await readModelFolder(await steeredModel('all'));
const progress: string[] = [];
const runtime = await ModelRuntime.load(folder, { threads: 1 }, (what) => progress.push(what));
const plain = await ModelRuntime.load(await readModelFolder(tinyModel), { threads: 1 });
after(async () => {
  await runtime[Symbol.asyncDispose]();
  await plain[Symbol.asyncDispose]();
});

const size = { width: 48, height: 32 };
const shape = runtime.latentShape(size);
const { encoder_hidden_states: text } = await runtime.embed('a fox');
const features = await runtime.controls!.features('controlnet-a', testImage(0, size).data, size);
const tokens = await runtime.imageEncoder!.encode(testImage(0, { width: 32, height: 32 }).data);

function row(number: number, values: RowValues = {}): Row {
  const length = shape[0] * shape[1] * shape[2];
  return {
    role: 'positive',
    stage: { timestep: 300 + 100 * number, a: 1, b: 1, inputScale: 1 },
    input: Float32Array.from({ length }, (_, i) => Math.sin(number + i)),
    conditioning: { encoder_hidden_states: text, ...values },
  };
}

async function predictions(networks: ModelRuntime, rows: readonly Row[], kept?: KeptRows) {
  return (await networks.predict(rows, shape, kept)).map((values) => values.slice());
}

const layers = folder.layout.steered!.imageEncoder!.layers.length;
const scale = Float32Array.of(1);
const style = { image_tokens: tokens.positive, ip_adapter_scale: new Float32Array(layers).fill(1) };
const ways: Readonly<Record<string, RowValues>> = {
  control: { ...features, control_0_scale: scale },
  style,
  bank: { bank_mask: new Float32Array(0) },
};

describe('the networks of a model that can be steered', () => {
  it('are loaded after the others, with progress reports', () => {
    assert.deepEqual(progress.slice(4), [
      'loading the steered U-Net',
      'loading the control controlnet-a',
      'loading the control controlnet-b',
      'loading the control t2i-adapter',
      'loading the image encoder',
    ]);
    assert.equal(plain.controls, null);
    assert.equal(plain.imageEncoder, null);
  });

  it('predict rows that use nothing as the plain U-Net does, to the last bit', async () => {
    const kept: KeptRows = [];
    const rows = [row(1), row(2, features)];
    assert.deepEqual(await predictions(runtime, rows, kept), await predictions(plain, rows));
    assert.deepEqual(kept, []);
  });

  for (const [name, values] of Object.entries(ways)) {
    it(`predict a row with a ${name} beside others without it, as each alone`, async () => {
      const own = row(1, values);
      const [together, other] = await predictions(runtime, [own, row(2)]);
      const [alone] = await predictions(runtime, [own]);
      const [without, wanted] = await predictions(plain, [row(1), row(2)]);
      assertClose(together, alone, 1e-5, 'the row');
      assertClose(other, wanted, 1e-5, 'the row beside it');
      const difference = alone.reduce((most, value, i) => Math.max(most, Math.abs(value - without[i])), 0);
      assert.equal(difference > 1e-3, name !== 'bank', 'an empty bank changes nothing');
    });
  }

  it('do nothing at scale 0, or without what a scale is for', async () => {
    const [wanted] = await predictions(plain, [row(1)]);
    const off = new Float32Array(layers);
    const values = [
      { ...features, control_0_scale: Float32Array.of(0) },
      { control_0_scale: scale },
      { ...style, ip_adapter_scale: off },
      { ip_adapter_scale: style.ip_adapter_scale },
    ];
    for (const each of values) {
      const [prediction] = await predictions(runtime, [row(1, each)]);
      assertClose(prediction, wanted, 1e-5, Object.keys(each).join());
    }
  });

  it('give the keys and values of a row with a bank, which change what a later row predicts', async () => {
    const kept: KeptRows = [];
    const bank = folder.layout.steered!.bank!;
    await predictions(runtime, [row(1, ways['bank']), row(2)], kept);
    const [own, others] = kept;
    assert.deepEqual([own.length, others.length], [bank.length, 0]);
    const filled = Object.fromEntries(own.map((values, k) => [`bank_${k}`, values.slice()]));
    const [first] = await predictions(runtime, [row(1, ways['bank'])]);
    const [second] = await predictions(runtime, [row(1, { ...filled, bank_mask: Float32Array.of(1) })]);
    assertClose(second, first, 1e-5, 'attending to itself twice changes nothing');
    const [third] = await predictions(runtime, [row(3, { ...filled, bank_mask: Float32Array.of(1) })]);
    const [without] = await predictions(plain, [row(3)]);
    assert.ok(third.some((value, i) => Math.abs(value - without[i]) > 1e-3));
  });
});
