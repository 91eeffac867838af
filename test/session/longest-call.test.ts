import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultParameters, type StreamParameters } from '@millrace/protocol';
import { anonymous } from '../../src/session/access/grant.js';
import { combined } from '../../src/engine/costs.js';
import type { EngineFacts } from '../../src/engine/messages.js';
import { Capacity } from '../../src/session/admission/capacity.js';
import { imagesOf } from './images.js';
import { ManualEngine } from './manual-engine.js';
import { Rig } from './rig.js';

const defaults = { ...defaultParameters(), width: 64, height: 64 };

/** At the default size a call of one row takes 90 ms, of two 120 ms, and a picture 10 ms. */
const facts: EngineFacts = {
  device: 'cpu',
  calibration: { at: new Date(0), isKept: false },
  costs: [
    { rows: 1, ms: 90 },
    { rows: 2, ms: 120 },
  ],
  rowBudget: 1,
  pictureMs: 10,
};

function capacityOf(maxCallMs: number): Capacity {
  const slo = { fps: 0, latencySeconds: 0 };
  const capacity = new Capacity({ slo, most: 4, maxCallMs, parameters: defaults, present: () => [] });
  capacity.calibrated(facts);
  return capacity;
}

/** A server on which frames of up to 128x128 are short enough. */
const upTo128 = (): Capacity => capacityOf(400);

const large = { width: 64, height: 320 };

describe('a size with which each frame would keep all others waiting', () => {
  it('is refused in hello, after which the client may send another one', async () => {
    const rig = new Rig({}, { capacity: upTo128() });
    rig.send({ type: 'hello', parameters: large });
    await rig.until(() => rig.all('error').length === 1);
    const [refused] = rig.all('error');
    assert.deepEqual([refused?.code, refused?.field], ['limit_exceeded', 'height']);
    rig.send({ type: 'hello', parameters: { width: 128, height: 128 } });
    await rig.until(() => rig.connection.state === 'active');
    rig.connection.disconnected(1000);
  });

  it('is refused in an update, and the stream keeps its parameters', async () => {
    const rig = await Rig.active({}, { capacity: upTo128() });
    rig.send({ type: 'update', request: 1, parameters: { ...large, seed: 4 } });
    await rig.until(() => rig.all('error').length === 1);
    const [refused] = rig.all('error');
    assert.deepEqual([refused?.code, refused?.request, refused?.field], ['limit_exceeded', 1, 'height']);
    rig.send({ type: 'update', request: 2, parameters: { width: 128 } });
    await rig.until(() => rig.all('updated').length === 1);
    const { parameters } = rig.all('updated')[0] ?? {};
    assert.deepEqual([parameters?.width, parameters?.height, parameters?.seed], [128, 64, defaults.seed]);
    rig.connection.disconnected(1000);
  });

  it('is kept by a stream that another server has allowed, whose other parameters still change', async () => {
    const first = await Rig.active();
    first.send({ type: 'update', request: 1, parameters: large });
    await first.until(() => first.all('checkpoint').length > 0 && first.all('updated').length === 1);
    await first.until(() => first.all('checkpoint').length > 1);
    const resume = first.all('checkpoint').at(-1)?.token ?? '';
    const { tokens } = first.context;
    const second = new Rig({}, { capacity: upTo128(), tokens });
    second.send({ type: 'hello', resume });
    await second.until(() => second.connection.state === 'active');
    assert.equal(second.all('ready')[0]?.parameters.height, large.height);
    second.send({ type: 'update', request: 2, parameters: { seed: 7 } });
    await second.until(() => second.all('updated').length === 1);
    second.send({ type: 'update', request: 3, parameters: { width: 128 } });
    await second.until(() => second.all('error').length === 1);
    assert.equal(second.all('error')[0]?.field, 'height');
    for (const rig of [first, second]) rig.connection.disconnected(1000);
  });

  it('is refused for a single image', async () => {
    const engine = new ManualEngine();
    const images = imagesOf(engine, { capacity: upTo128() });
    const caller = { name: 'somebody', grant: anonymous, gone: new AbortController().signal };
    await assert.rejects(images.generate({ parameters: large }, caller), {
      code: 'limit_exceeded',
      details: { field: 'height' },
    });
    assert.equal(engine.streams.length, 0);
  });
});

describe('the longest call', () => {
  const twice = { width: 128, height: 128 };
  const full = { cfg_type: 'full', guidance_scale: 2 } as const;
  type Changes = Partial<StreamParameters>;
  const check = (capacity: Capacity, changes: Changes, present?: Changes): void =>
    capacity.checkCall({ ...defaults, ...changes }, present && { ...defaults, ...present });
  const refused = (capacity: Capacity, changes: Changes, field: string, present?: Changes): void =>
    assert.throws(() => check(capacity, changes, present), { code: 'limit_exceeded', details: { field } });

  it('is that of one frame at its size, and the message names size, time, limit and setting', () => {
    check(capacityOf(400), twice);
    assert.throws(() => check(capacityOf(399), twice), {
      message:
        'a frame of 128x128 takes this server 0.4 s at a stretch, and others wait meanwhile; ' +
        'at most 0.4 s are allowed (maxCallSeconds): choose a smaller width or height',
    });
    refused(capacityOf(399), twice, 'width');
    check(capacityOf(200), { height: 128 });
    refused(capacityOf(199), { height: 128 }, 'height');
  });

  it('includes the negative rows of guidance, but not further steps: other streams may come between', () => {
    check(capacityOf(520), { ...twice, ...full, steps: 10 });
    refused(capacityOf(519), { ...twice, ...full }, 'width');
    refused(capacityOf(519), { ...twice, cfg_type: 'initialize', guidance_scale: 2 }, 'width');
    check(capacityOf(400), { ...twice, cfg_type: 'self', guidance_scale: 2 });
    check(capacityOf(400), { ...twice, ...full, guidance_scale: 1 });
  });

  it('never refuses the default size, nor what is no longer than what the stream has', () => {
    check(capacityOf(1), full);
    check(capacityOf(1), { width: 128, height: 32 });
    check(capacityOf(300), twice, twice);
    check(capacityOf(300), twice, { ...twice, ...full });
    check(capacityOf(300), { width: 96, height: 128 }, twice);
  });

  it('refuses a larger size than the stream has, also if it had a longer call before', () => {
    refused(capacityOf(100), { width: 80 }, 'width', full);
    refused(capacityOf(300), { width: 136, height: 128 }, 'width', { ...twice, ...full });
  });

  it('blames guidance, not the size, if that makes the call longer', () => {
    refused(capacityOf(400), { ...twice, ...full }, 'cfg_type', twice);
    const low = { ...full, guidance_scale: 1 };
    assert.throws(() => check(capacityOf(400), { ...twice, ...full }, { ...twice, ...low }), {
      details: { field: 'guidance_scale' },
      message: /^a frame of 128x128 with negative rows takes .* choose less guidance or a smaller width/,
    });
  });

  it('blames controls or the attention bank if they make the call longer', () => {
    const ratios = { ratio: 1.5, controlRatio: 0.5, bankRatio: 0.25 };
    const steered = { ...facts, steered: { ...ratios, featuresMs: 5 } };
    const controlled = { ...twice, controls: { canny: { scale: 1 } } };
    const banked = { ...twice, attention_bank_frames: 2 };
    const capacity = capacityOf(600);
    capacity.calibrated(steered);
    const [controls, bank] = [
      [controlled, 'controls'],
      [banked, 'attention_bank_frames'],
    ] as const;
    for (const [changes, field] of [controls, bank]) {
      assert.throws(() => check(capacity, changes, twice), {
        details: { field },
        message:
          /^a frame of 128x128 with controls or an attention bank takes .* choose none of them or a smaller/,
      });
      refused(capacity, { ...changes, width: 136 }, 'width', twice);
      check(capacity, { ...changes, width: 64, height: 64 }, twice);
    }
    refused(capacity, { ...controlled, ...full }, 'cfg_type', controlled);
  });

  it('does not depend on the load', () => {
    const capacity = capacityOf(400);
    for (let call = 0; call < 1000; call++) {
      capacity.observe({ rows: 1, streams: 1, ms: 360, pictureMs: 40, expectedMs: 100 });
    }
    check(capacity, twice);
  });

  it('refuses nothing without a limit', () => check(capacityOf(0), { width: 1024, height: 1024 }));

  it('is that of one device of several: no call ends sooner because others work too', () => {
    const three = { ...facts, ...combined([facts, facts, facts]) };
    const [strict, exact] = [capacityOf(399), capacityOf(400)];
    for (const capacity of [strict, exact]) capacity.calibrated(three);
    refused(strict, twice, 'width');
    check(exact, twice);
  });

  it('is that of the slowest device, on which a frame may land', () => {
    const quick = {
      costs: [
        { rows: 1, ms: 9 },
        { rows: 2, ms: 12 },
      ],
      rowBudget: 2,
      pictureMs: 1,
    };
    for (const devices of [
      [quick, facts],
      [facts, quick],
    ]) {
      const capacity = capacityOf(399);
      capacity.calibrated({ ...facts, ...combined(devices) });
      refused(capacity, twice, 'width');
    }
  });
});
