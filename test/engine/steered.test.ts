import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { StreamParameters } from '@millrace/protocol';
import { ParameterError, type FrameInput } from '../../src/engine/engine.js';
import { encodeImage } from '../../src/image/encode.js';
import type { Image } from '../../src/image/image.js';
import { greatestDifference } from '../support/compare.js';
import {
  keptCosts,
  RecordedStream,
  startEngine,
  testImage,
  tinyModel,
  tinyParameters,
} from '../support/engine.js';
import { steeredModel } from '../support/steered-model.js';

const kept = await keptCosts();
const run = await startEngine(await steeredModel('all'), kept);
const plainRun = await startEngine(tinyModel, kept);
after(async () => {
  await run[Symbol.asyncDispose]();
  await plainRun[Symbol.asyncDispose]();
});

const frames = 5;
const parameters = tinyParameters({ denoise: 'stream' });
const controlled = tinyParameters({ denoise: 'stream', controls: { 'controlnet-a': { scale: 1 } } });

/** Returns white stripes on black that move from frame to frame. */
function stripes(frame: number, period = 9): Image {
  const { width, height } = parameters;
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) {
    const x = Math.floor(i / 3) % width;
    data[i] = (x + 3 * frame) % period < 3 ? 255 : 0;
  }
  return { width, height, data };
}

const looks = await Promise.all([9, 4].map((period) => encodeImage(stripes(0, period), 'png', 1)));
const [look, other] = looks.map((file) => new Uint8Array(file));
const styled = tinyParameters({ denoise: 'stream', style_image: look });

/** Returns the control images of a frame; null if it has none. */
type ControlsOf = (frame: number) => FrameInput['controls'] | null;

const without: ControlsOf = () => null;
const withControl = (frame: number): FrameInput['controls'] => ({ 'controlnet-a': stripes(frame) });

/** Sends frames through a stream. @returns their results. */
async function play(
  own: StreamParameters,
  controlsOf: ControlsOf = without,
  engine = run.engine,
): Promise<ReadonlyMap<number, Uint8Array>> {
  const stream = await RecordedStream.open(engine, own);
  for (let frame = 0; frame < frames; frame++) {
    const controls = controlsOf(frame);
    const input = { image: testImage(frame, own), ...(controls && { controls }) };
    stream.stream.push(frame, input, { replace: false });
  }
  await stream.until(() => stream.answered === frames);
  stream.stream.close();
  assert.equal(stream.results.size, frames);
  return stream.results;
}

/** Returns the greatest difference of each frame, in levels. */
function differences(
  a: ReadonlyMap<number, Uint8Array>,
  b: ReadonlyMap<number, Uint8Array>,
): readonly number[] {
  return [...a].map(([frame, pixels]) => greatestDifference(pixels, b.get(frame)!));
}

/** Values on the edge between two bytes may round either way. */
const assertSame = (a: ReadonlyMap<number, Uint8Array>, b: ReadonlyMap<number, Uint8Array>): void =>
  assert.ok(Math.max(...differences(a, b)) <= 1);

describe('a model that can be steered', () => {
  it('has a price for it, and draws the same pictures as without if streams do not use it', async () => {
    const ready = run.states.at(-1);
    assert.ok(ready?.name === 'ready' && ready.steered && ready.bank);
    const { ratio, controlRatio, bankRatio, featuresMs } = ready.steered;
    assert.ok(ratio > 0 && controlRatio >= 0 && bankRatio >= 0 && featuresMs > 0 && ready.bank.rowBytes > 0);
    assert.deepEqual(await play(parameters), await play(parameters, without, plainRun.engine));
  });

  it('draws what the control image of each frame says, and nothing else for a frame without one', async () => {
    const plain = await play(parameters);
    const steered = await play(controlled, withControl);
    assert.ok(Math.min(...differences(plain, steered)) > 1);
    // One frame has another picture: the frames around it, which are under way with it, stay as they were.
    const other = await play(controlled, (frame) =>
      frame === 2 ? { 'controlnet-a': stripes(7, 5) } : withControl(frame),
    );
    assert.deepEqual(
      differences(steered, other).map((difference) => difference > 1),
      [false, false, true, false, false],
    );
    const some = await play(controlled, (frame) => (frame === 2 ? null : withControl(frame)));
    assert.ok(greatestDifference(some.get(2)!, plain.get(2)!) <= 1);
    assertSame(new Map([...some].filter(([frame]) => frame !== 2)), steered);
    assertSame(await play(controlled), plain);
  });

  it('gives streams with and without controls, style and bank the same results together as alone', async () => {
    const both = { 'controlnet-a': { scale: 0.5, end: 0.5 }, 't2i-adapter': { scale: 1 } };
    const settings: readonly (readonly [StreamParameters, ControlsOf])[] = [
      [parameters, without],
      [controlled, withControl],
      [
        tinyParameters({ denoise: 'stream', controls: both, cfg_type: 'full', guidance_scale: 2 }),
        (frame) => ({ 'controlnet-a': stripes(frame), 't2i-adapter': stripes(frame, 4) }),
      ],
      [tinyParameters({ denoise: 'stream', attention_bank_frames: 2 }), without],
      [{ ...controlled, attention_bank_frames: 2 }, withControl],
      [styled, without],
      [{ ...styled, cfg_type: 'full', guidance_scale: 2, ip_adapter_weight_type: 'ease_in' }, without],
      [{ ...controlled, style_image: other }, withControl],
    ];
    const alone = [];
    for (const setting of settings) alone.push(await play(...setting));
    const together = await Promise.all(settings.map((setting) => play(...setting)));
    for (const [i, results] of together.entries()) assertSame(results, alone[i]);
  });

  it('lets frames attend to those before them: the first is as without', async () => {
    const own = tinyParameters({ denoise: 'stream', attention_bank_frames: 1 });
    const changed = differences(await play(parameters), await play(own));
    assert.equal(changed[0] <= 1, true);
    assert.ok(Math.max(...changed.slice(1)) > 1);
  });

  it('draws in the style of a picture, by its weights; with scale 0 as without', async () => {
    const plain = await play(parameters);
    const seen = [plain];
    for (const changes of [
      {},
      { style_image: other },
      { ip_adapter_scale: 2 },
      { ip_adapter_weight_type: 'style_transfer' },
      { ip_adapter_weight_type: 'composition' },
    ] as const) {
      const results = await play({ ...styled, ...changes });
      const least = seen.map((before) => Math.max(...differences(results, before)));
      assert.ok(Math.min(...least) > 1, JSON.stringify(changes).slice(0, 60));
      seen.push(results);
    }
    assertSame(await play({ ...styled, ip_adapter_scale: 0 }), plain);
  });

  it('changes the style image of frames under way, for those of this stream alone', async () => {
    const stream = await RecordedStream.open(run.engine, parameters);
    const push = (frame: number): void =>
      stream.stream.push(frame, { image: testImage(frame, parameters) }, { replace: false });
    push(0);
    await stream.until(() => stream.answered === 1);
    await stream.stream.configure(styled);
    push(1);
    await stream.until(() => stream.answered === 2);
    await stream.stream.configure(parameters);
    push(2);
    await stream.until(() => stream.answered === 3);
    const [plain, withStyle] = [await play(parameters), await play(styled)];
    for (const [frame, expected] of [plain, withStyle, plain].entries()) {
      assert.ok(greatestDifference(stream.results.get(frame)!, expected.get(frame)!) <= 1, `frame ${frame}`);
    }
    stream.stream.close();
  });

  it('refuses by name what it does not have, and the stream goes on as before', async () => {
    const stream = await RecordedStream.open(run.engine, controlled);
    const refused = [
      [run, { controls: { pose: { scale: 1 } } }, 'controls', /has controlnet-a, controlnet-b, t2i-adapter/],
      [plainRun, { controls: { pose: { scale: 1 } } }, 'controls', /has no controls/],
      [plainRun, { attention_bank_frames: 1 }, 'attention_bank_frames', /without an attention bank/],
      [plainRun, { style_image: look }, 'style_image', /exported without an IP-Adapter/],
      [run, { style_image: Uint8Array.of(1) }, 'style_image', /cannot be used: the data is not a JPEG/],
    ] as const;
    for (const [{ engine }, changes, field, message] of refused) {
      const own = { ...parameters, ...changes };
      const isRefused = (error: unknown): boolean =>
        error instanceof ParameterError && error.field === field && message.test(error.message);
      await assert.rejects(RecordedStream.open(engine, own), isRefused);
      if (engine === run.engine) await assert.rejects(stream.stream.configure(own), isRefused);
    }
    const input = { image: testImage(0, controlled), controls: withControl(0)! };
    stream.stream.push(0, input, { replace: false });
    await stream.until(() => stream.answered === 1);
    const [first] = (await play(controlled, withControl)).values();
    assert.ok(greatestDifference(stream.results.get(0)!, first) <= 1);
  });
});
