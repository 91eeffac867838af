import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultParameters } from '@millrace/protocol';
import { anonymous } from '../../src/session/access/grant.js';
import { Capacity } from '../../src/session/admission/capacity.js';
import { imagesOf } from './images.js';
import { ManualEngine } from './manual-engine.js';
import { Rig } from './rig.js';

const defaults = { ...defaultParameters(), width: 64, height: 64 };

/** A server on which frames of up to 128x128 are short enough. */
function upTo128(): Capacity {
  const engine = new ManualEngine();
  const costs = [{ rows: 1, ms: 90 }];
  engine.state = {
    name: 'ready',
    device: 'cpu',
    model: { name: 'manual', sizeFactor: 8, defaults: {} },
    costs,
    rowBudget: 1,
    pictureMs: 10,
  };
  const slo = { fps: 0, latencySeconds: 0 };
  return new Capacity(engine, { slo, most: 4, maxCallMs: 400, parameters: defaults, present: () => [] });
}

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
    await assert.rejects(images.generate(large, caller), {
      code: 'limit_exceeded',
      details: { field: 'height' },
    });
    assert.equal(engine.streams.length, 0);
  });
});
