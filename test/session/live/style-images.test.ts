import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { styleImageBytes } from '@millrace/protocol';
import { pictureCodec } from '../../../src/image/codec.js';
import { decodeImage } from '../../../src/image/decode.js';
import { encodeImage } from '../../../src/image/encode.js';
import type { Image } from '../../../src/image/image.js';
import { PictureTurns } from '../../../src/session/frames/picture-turns.js';
import { createParameterRules } from '../../../src/session/live/parameter-rules.js';
import { StyleImages } from '../../../src/session/live/style-images.js';
import type { ConnectionContext } from '../../../src/session/connection/context.js';
import { Rig } from '../rig.js';

const side = 16;
const rules = createParameterRules({ defaults: { width: 64, height: 64 }, styleImageSide: side });
const without = createParameterRules({});

/** Returns a picture whose left third is black, its middle grey and its right third white. */
function stripes(width = 3 * side, height = side): Image {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) {
    const x = Math.floor(i / 3) % width;
    data[i] = [0, 128, 255][Math.floor((3 * x) / width)] ?? 0;
  }
  return { width, height, data };
}

const file = new Uint8Array(await encodeImage(stripes(), 'png', 1));
const other = await encodeImage({ ...stripes(), data: new Uint8Array(9 * side * side).fill(60) }, 'webp', 90);

/** Returns changes of a context for a model that takes style images. */
function styled(
  turns = new PictureTurns(1),
): Partial<ConnectionContext> & { readonly styleImages: StyleImages } {
  return {
    rules,
    turns,
    styleImages: new StyleImages({ pictures: pictureCodec, turns, maxPixels: 10_000, side }),
  };
}

describe('rules for style images', () => {
  it('accept a file, as binary or in base64, its name, and none', () => {
    assert.deepEqual(rules.check({ style_image: file }), { style_image: file });
    const text = Buffer.from(file).toString('base64');
    assert.deepEqual(new Uint8Array(rules.check({ style_image: text }).style_image as Uint8Array), file);
    for (const style_image of [null, 'sha256:00'])
      assert.deepEqual(rules.check({ style_image }), { style_image });
    const weights = { ip_adapter_scale: 0.5, ip_adapter_weight_type: 'ease_in' };
    assert.deepEqual(rules.check(weights), weights);
  });

  for (const [update, message] of [
    [{ style_image: 5 }, 'style_image must be an image file (binary, or in JSON base64), or null, not 5'],
    [{ style_image: 'https://example.org/a.jpg' }, /^style_image is not valid base64/],
    [
      { style_image: new Uint8Array(styleImageBytes + 1) },
      /must have at most 2097152 bytes, not 2097153; make the picture smaller$/,
    ],
    [{ ip_adapter_scale: 2.5 }, 'ip_adapter_scale must be a number from 0 to 2, not 2.5'],
    [
      { ip_adapter_weight_type: 'strong' },
      /^ip_adapter_weight_type must be one of "linear", .*not "strong"$/,
    ],
  ] as const) {
    it(`say what is wrong with ${JSON.stringify(update).slice(0, 60)}`, () => {
      const [field] = Object.keys(update);
      assert.throws(() => rules.check(update), { name: 'ParameterError', field, message });
    });
  }

  it('say that the model has no image encoder, and accept none', () => {
    for (const style_image of [file, Buffer.from(file).toString('base64')]) {
      assert.throws(() => without.check({ style_image }), {
        field: 'style_image',
        message: 'style_image must be null: the model has no image encoder (export it with --ip-adapter)',
      });
    }
    assert.deepEqual(without.check({ style_image: null, steps: 2 }), { style_image: null, steps: 2 });
  });
});

describe('style images', () => {
  it('are kept as small squares, of the middle of the picture', async () => {
    const { styleImages } = styled();
    const { style_image: kept, steps } = await styleImages.prepareOnce({ style_image: file, steps: 2 });
    assert.equal(steps, 2);
    assert.ok(kept instanceof Uint8Array);
    const { width, height, data } = await decodeImage(kept, { maxPixels: side * side });
    assert.deepEqual([width, height], [side, side]);
    assert.ok(data.every((byte) => Math.abs(byte - 128) < 8));
    assert.deepEqual(await styleImages.prepareOnce({ steps: 3 }), { steps: 3 });
  });

  it('are refused by name if they are no picture, or have too many pixels', async () => {
    const { styleImages } = styled();
    const large = await encodeImage(stripes(300, 100), 'jpeg', 90);
    for (const [style_image, message] of [
      [Uint8Array.of(1, 2, 3), /^style_image cannot be used: the data is not a JPEG, PNG or WebP image$/],
      [file.subarray(0, 60), /^style_image cannot be used: /],
      [large, /^style_image cannot be used: the image is too large: 300x100 pixels, the limit is 10000$/],
      ['sha256:00', /^style_image names a picture that is not in force; send its file$/],
    ] as const) {
      await assert.rejects(styleImages.prepareOnce({ style_image }), { field: 'style_image', message });
    }
  });

  it('wait for the turn of their owner, which ends if it is forgotten', async () => {
    const turns = new PictureTurns(1);
    const { styleImages } = styled(turns);
    let finish: () => void = () => {};
    const busy = turns.run({}, () => new Promise<void>((resolve) => (finish = resolve)));
    const owner = {};
    const waiting = styleImages.prepare({ style_image: file }, owner);
    styleImages.forget(owner);
    await assert.rejects(waiting, /the client is gone/);
    finish();
    await busy;
  });
});

describe('a session with a style image', () => {
  it('reports its name, which an update may repeat, and hands the small file to the engine', async () => {
    const rig = new Rig({}, styled());
    rig.send({ type: 'hello', parameters: { style_image: file } });
    await rig.until(() => rig.connection.state === 'active');
    const [ready] = rig.all('ready');
    const { style_image: name } = ready?.parameters ?? {};
    assert.match(String(name), /^sha256:[0-9a-f]{64}$/);
    const kept = rig.stream.parameters.style_image;
    assert.ok(kept instanceof Uint8Array && kept.length < 2000);
    rig.send({ type: 'update', request: 1, parameters: { ...ready?.parameters, steps: 2 } });
    await rig.until(() => rig.all('updated').length === 1);
    assert.equal(rig.all('updated')[0]?.parameters.style_image, name);
    assert.equal(rig.stream.parameters.style_image, kept);
    rig.send({ type: 'update', request: 2, parameters: { style_image: other } });
    await rig.until(() => rig.all('updated').length === 2);
    assert.notEqual(rig.all('updated')[1]?.parameters.style_image, name);
    rig.send({ type: 'update', request: 3, parameters: { style_image: null } });
    await rig.until(() => rig.all('updated').length === 3);
    assert.equal(rig.stream.parameters.style_image, null);
    rig.connection.disconnected(1000);
  });

  it('goes on as before if a style image is refused', async () => {
    const rig = new Rig({}, styled());
    rig.send({ type: 'hello', parameters: { style_image: file } });
    await rig.until(() => rig.connection.state === 'active');
    const kept = rig.stream.parameters;
    rig.send({ type: 'update', request: 1, parameters: { style_image: Uint8Array.of(7), steps: 3 } });
    await rig.until(() => rig.all('error').length === 1);
    const [{ code, field, request } = {}] = rig.all('error');
    assert.deepEqual([code, field, request], ['invalid_parameter', 'style_image', 1]);
    assert.equal(rig.stream.parameters, kept);
    await rig.generate(0);
    await rig.until(() => rig.all('result').length === 1);
    rig.connection.disconnected(1000);
  });

  it('may say hello again if it is refused at the start', async () => {
    const rig = new Rig({}, styled());
    rig.send({ type: 'hello', parameters: { style_image: Uint8Array.of(7) } });
    await rig.until(() => rig.all('error').length === 1);
    assert.equal(rig.all('error')[0]?.field, 'style_image');
    rig.send({ type: 'hello' });
    await rig.until(() => rig.connection.state === 'active');
    rig.connection.disconnected(1000);
  });

  it('has few bytes waiting: further updates with large files are refused for a while', async () => {
    const turns = new PictureTurns(1);
    const rig = await Rig.active({ messageBytes: 3_000_000 }, styled(turns));
    let finish: () => void = () => {};
    const busy = turns.run({}, () => new Promise<void>((resolve) => (finish = resolve)));
    const large = new Uint8Array(styleImageBytes);
    large.set(file);
    for (const [request, style_image] of [large, file].entries()) {
      rig.send({ type: 'update', request, parameters: { style_image } });
    }
    rig.send({ type: 'update', request: 2, parameters: { steps: 2 } });
    await rig.until(() => rig.all('error').length === 1);
    const [{ code, request, message } = {}] = rig.all('error');
    assert.deepEqual([code, request], ['rate_limited', 1]);
    assert.match(message ?? '', /style images of more than 2097152 bytes together are waiting/);
    finish();
    await busy;
    await rig.until(() => rig.all('updated').length === 2);
    rig.send({ type: 'update', request: 3, parameters: { style_image: file } });
    await rig.until(() => rig.all('updated').length === 3);
    rig.connection.disconnected(1000);
  });

  it('keeps it in its resume token, for a server that never saw the file', async () => {
    const first = new Rig({}, styled());
    first.send({ type: 'hello', parameters: { style_image: file } });
    await first.until(() => first.all('checkpoint').length === 1);
    const token = first.all('checkpoint')[0]?.token ?? '';
    const second = new Rig({}, { ...styled(), tokens: first.context.tokens });
    second.send({ type: 'hello', resume: token });
    await second.until(() => second.connection.state === 'active');
    const names = [first, second].map((rig) => rig.all('ready')[0]?.parameters.style_image);
    assert.equal(names[0], names[1]);
    const files = [first, second].map((rig) => rig.stream.parameters.style_image);
    assert.deepEqual(new Uint8Array(files[1] as Uint8Array), files[0]);
    for (const rig of [first, second]) rig.connection.disconnected(1000);
  });
});
