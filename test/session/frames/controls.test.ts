import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ParameterUpdate } from '@millrace/protocol';
import { encodeJpeg } from '../../../src/image/encode.js';
import type { Image } from '../../../src/image/image.js';
import { createParameterRules } from '../../../src/session/live/parameter-rules.js';
import type { SessionLimits } from '../../../src/session/connection/context.js';
import { picture, Rig } from '../rig.js';

const rules = createParameterRules({
  defaults: { width: 64, height: 64 },
  controls: [
    { name: 'canny', preprocessors: ['passthrough'], preprocessor: 'passthrough' },
    { name: 'depth', preprocessors: ['passthrough'], preprocessor: null },
    // Made by a network.
    { name: 'pose', preprocessors: ['openpose'], preprocessor: 'openpose' },
  ],
});

/** Returns a JPEG of one shade of grey. */
function grey(shade: number, width = 64, height = 64): Promise<Uint8Array> {
  return encodeJpeg({ width, height, data: new Uint8Array(width * height * 3).fill(shade) }, 95);
}

/** Opens a session with these controls. */
async function open(
  controls: ParameterUpdate['controls'] = {},
  limits: Partial<SessionLimits> = {},
): Promise<Rig> {
  const rig = await Rig.active({ credits: 8, ...limits }, { rules });
  await turn(rig, controls);
  return rig;
}

/** Changes the controls, and waits until the change is in force. */
async function turn(rig: Rig, controls: ParameterUpdate['controls'] = {}): Promise<void> {
  const request = rig.all('updated').length;
  rig.send({ type: 'update', request, parameters: { controls } });
  await rig.until(() => rig.all('updated').length > request);
}

/** Sends a frame, and waits until work on it begins. @returns the pictures of controls with it. */
async function pictures(
  rig: Rig,
  id: number,
  sent?: Readonly<Record<string, Uint8Array>>,
): Promise<Readonly<Record<string, Image>>> {
  rig.frame(id, picture, sent);
  await rig.until(() => rig.stream.waiting?.frame === id);
  rig.stream.admit();
  return rig.stream.working.at(-1)?.controls ?? {};
}

/** Returns the shade in the middle of a picture. */
function shade({ width, height, data }: Image): number {
  return data[(height >> 1) * width * 3 + (width >> 1) * 3];
}

describe('pictures of controls', () => {
  it('arrive with their own frame and with no other', async () => {
    const rig = await open({ depth: { scale: 1 } });
    const shades = [20, 80, 140, 200];
    for (const [id, wanted] of shades.entries()) {
      const { depth, ...others } = await pictures(rig, id, { depth: await grey(wanted) });
      assert.ok(Math.abs(shade(depth) - wanted) <= 3, `${shade(depth)} for ${wanted}`);
      assert.deepEqual(others, {});
    }
  });

  it('go with a frame that is replaced, and the next frame has its own', async () => {
    const rig = await open({ depth: { scale: 1 } });
    for (const [id, value] of [30, 90, 150, 210].entries()) {
      rig.frame(id, picture, { depth: await grey(value) });
    }
    await rig.until(() => rig.stream.waiting?.frame === 3);
    assert.ok(Math.abs(shade(rig.stream.waiting?.controls?.depth as Image) - 210) <= 3);
  });

  it('are fitted to the size of the stream as the frame is', async () => {
    const rig = await open({ depth: { scale: 1 } });
    rig.send({ type: 'update', request: 1, parameters: { width: 128, height: 64, fit: 'contain' } });
    await rig.until(() => rig.all('updated').length === 2);
    const { depth } = await pictures(rig, 0, { depth: await grey(255, 48, 48) });
    assert.deepEqual([depth.width, depth.height, shade(depth)], [128, 64, 255]);
    assert.equal(depth.data[0], 0, 'black bars on its sides');
  });

  it('are made from the frame by the preprocessor if none are sent, in memory of their own', async () => {
    const rig = await open({ canny: { scale: 0.5 }, depth: { scale: 1, preprocessor: 'passthrough' } });
    const { canny, depth } = await pictures(rig, 0);
    const [{ image }] = rig.stream.working;
    assert.deepEqual([canny, depth], [image, image]);
    const memory = [canny, depth, image].map(({ data }) => data.buffer);
    assert.equal(new Set(memory).size, 3);
    const { canny: own } = await pictures(rig, 1, { canny: await grey(250) });
    assert.ok(shade(own) > 240, 'one that is sent comes first');
  });

  it('are left to the engine if a network makes them, unless they are sent', async () => {
    const rig = await open({ pose: { scale: 1 } });
    assert.deepEqual(await pictures(rig, 0), {});
    const { pose } = await pictures(rig, 1, { pose: await grey(9) });
    assert.ok(shade(pose) < 20);
  });

  it('of controls that are off are ignored, whatever they are', async () => {
    const rig = await open({ canny: { scale: 0 } });
    const bad = Uint8Array.of(1, 2, 3);
    assert.deepEqual(await pictures(rig, 0, { canny: bad, depth: bad }), {});
    await turn(rig, { depth: { scale: 1 } });
    assert.deepEqual(Object.keys(await pictures(rig, 1, { depth: picture })), ['depth']);
    await turn(rig, {});
    assert.deepEqual(await pictures(rig, 2, { depth: picture }), {});
    assert.deepEqual(rig.all('error'), []);
  });
});

describe('a frame is refused, and nothing else is lost,', () => {
  const refused: readonly {
    readonly what: string;
    readonly controls: NonNullable<ParameterUpdate['controls']>;
    readonly sent?: Readonly<Record<string, Uint8Array>>;
    readonly field: string;
    readonly message: string;
  }[] = [
    {
      what: 'without a picture that nothing makes',
      controls: { depth: { scale: 1 } },
      sent: { canny: picture },
      field: 'controls.depth',
      message:
        'the picture of the control depth cannot be used: it is missing, and no preprocessor makes it; ' +
        'send it with each frame, or choose a preprocessor in the parameter controls',
    },
    {
      what: 'with a picture that is none',
      controls: { canny: { scale: 1 } },
      sent: { canny: Uint8Array.of(1, 2, 3) },
      field: 'controls.canny',
      message: 'the picture of the control canny cannot be used: the data is not a JPEG, PNG or WebP image',
    },
    {
      what: 'with a picture for a control that the model lacks',
      controls: {},
      sent: { canny: picture, ['x'.repeat(100)]: picture },
      field: `controls.${'x'.repeat(40)}`,
      message: `the model has no control "${'x'.repeat(40)}": it has canny, depth, pose`,
    },
    {
      what: 'with a picture for a name that is cut within a character',
      controls: {},
      sent: { [`${'x'.repeat(39)}\u{1f642}`]: picture },
      field: `controls.${'x'.repeat(39)}`,
      message: `the model has no control "${'x'.repeat(39)}": it has canny, depth, pose`,
    },
    {
      what: 'with a picture for a name that all objects have',
      controls: {},
      sent: { constructor: picture },
      field: 'controls.constructor',
      message: 'the model has no control "constructor": it has canny, depth, pose',
    },
  ];
  for (const { what, controls, sent, field, message } of refused) {
    it(what, async () => {
      const rig = await open(controls);
      const good = { depth: picture };
      rig.frame(0, picture, good);
      await rig.until(() => rig.stream.waiting?.frame === 0);
      rig.stream.admit();
      rig.frame(1, picture, sent);
      await rig.until(() => rig.drops.length > 0);
      assert.deepEqual(rig.all('error'), [{ type: 'error', code: 'invalid_frame', message, field, id: 1 }]);
      assert.deepEqual(rig.drops, ['1 invalid']);
      rig.stream.finish();
      rig.frame(2, picture, good);
      await rig.until(() => rig.stream.waiting?.frame === 2);
      rig.stream.admit();
      rig.stream.finish();
      await rig.until(() => rig.all('result').length === 2);
      assert.equal(rig.all('credit').at(-1)?.total, 11);
    });
  }

  it('with pictures of more pixels together than one may have', async () => {
    const limits = { framePixels: 2 * 64 * 64 };
    const rig = await open({ canny: { scale: 1 }, depth: { scale: 1 } }, limits);
    const made = await pictures(rig, 0, { depth: picture });
    assert.deepEqual(Object.keys(made), ['canny', 'depth']);
    rig.frame(1, picture, { canny: await grey(1, 8, 8), depth: picture });
    await rig.until(() => rig.drops.length > 0);
    const [{ code, message, field }] = rig.all('error');
    assert.deepEqual([code, field, rig.drops], ['invalid_frame', 'controls.depth', ['1 invalid']]);
    assert.match(message, /the pictures of the frame have more than 8192 pixels together$/);
    await pictures(rig, 2, { depth: picture });
  });

  it('from a client of a model without controls', async () => {
    const rig = await Rig.active();
    rig.frame(0, picture, { depth: picture });
    await rig.until(() => rig.drops.length > 0);
    const [{ code, message, field }] = rig.all('error');
    assert.deepEqual(
      [code, message, field],
      ['invalid_frame', 'the model has no control "depth": it has none', 'controls.depth'],
    );
    await rig.generate(1);
  });
});
