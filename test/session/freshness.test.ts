import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ClientClock } from '../../src/session/wire/client-clock.js';
import { Pace } from '../../src/session/time/pace.js';
import { PauseWatch } from '../../src/session/time/pause-watch.js';
import { stageTimes, stageTimings } from '../../src/session/frames/stage-times.js';
import { picture, Rig } from './rig.js';

const frame = {
  id: 1,
  captured: 0,
  arrivedAt: 100,
  place: 'output',
  inputMs: 10,
  queueMs: 5,
  quality: 90,
} as const;

describe('the times of a result', () => {
  it('are on the client clock, in ascending order', () => {
    const clock = new ClientClock();
    clock.start(5000, 90);
    const timings = stageTimings(
      frame,
      { queueMs: 5, vaeEncodeMs: 3, denoiseMs: 20, vaeDecodeMs: 7 },
      { encodingAt: 146, sentAt: 150 },
    );
    assert.equal(timings.total, 50);
    assert.deepEqual(stageTimes(frame, timings, 150, clock), {
      received: 5010,
      decoded: 5020,
      queued: 5025,
      encoded: 5028,
      denoised: 5048,
      vae_decoded: 5055,
      sent: 5060,
    });
    clock.adjust(-100);
    clock.start(7000, 90);
    assert.equal(stageTimes(frame, timings, 150, clock).received, 0);
  });

  it('are never later than the time of sending, whatever the worker measured', () => {
    const timings = stageTimings(
      frame,
      { queueMs: 5, vaeEncodeMs: 30, denoiseMs: 200, vaeDecodeMs: 7 },
      { encodingAt: 146, sentAt: 150 },
    );
    const { denoised, vae_decoded, sent } = stageTimes(frame, timings, 150, new ClientClock());
    assert.deepEqual([denoised, vae_decoded, sent], [150, 150, 150]);
  });
});

describe('a ping', () => {
  it('is answered with the server clock, and its offset is used from then on', async () => {
    const rig = await Rig.active();
    const before = performance.now();
    rig.send({ type: 'ping', sent: 42, offset: 1e6 });
    const [pong] = rig.all('pong');
    assert.equal(pong?.sent, 42);
    assert.ok(pong.received >= before && pong.received <= performance.now());
    await rig.generate(0);
    await rig.until(() => rig.all('result').length === 1);
    const times = rig.all('result')[0]?.times;
    assert.ok(times && times.received > 1e6 + before);
    assert.deepEqual(
      Object.values(times).toSorted((a, b) => a - b),
      Object.values(times),
    );
  });
});

describe('after a stall', () => {
  /** A session whose client stopped after one result, while another result and a frame wait. */
  async function stalled(): Promise<Rig> {
    const rig = await Rig.active({ unacknowledgedResults: 1, credits: 4 });
    for (const id of [0, 1]) {
      rig.frame(id);
      await rig.until(() => rig.stream.waiting?.frame === id);
      rig.stream.admit();
    }
    rig.stream.finish();
    await rig.until(() => rig.all('result').length === 1);
    rig.stream.finish();
    rig.frame(2);
    await new Promise((resolve) => setTimeout(resolve, 400));
    return rig;
  }

  it('the waiting result and frame give way to a frame that comes right after', async () => {
    const rig = await stalled();
    rig.send({ type: 'ack', sequence: 1 });
    rig.frame(3);
    assert.deepEqual(rig.drops, ['1 stale', '2 superseded']);
    await rig.until(() => rig.stream.waiting?.frame === 3);
  });

  it('the waiting result and frame give way to a frame that came just before', async () => {
    const rig = await stalled();
    rig.frame(3);
    rig.send({ type: 'ack', sequence: 1 });
    assert.deepEqual(rig.drops, ['2 superseded', '1 stale']);
    await rig.until(() => rig.stream.waiting?.frame === 3);
  });

  it('the waiting result and frame are used after a moment if nothing newer comes', async () => {
    const rig = await stalled();
    rig.send({ type: 'ack', sequence: 1 });
    await rig.until(() => rig.all('result').length === 2);
    assert.equal(rig.all('result')[1]?.id, 1);
    assert.deepEqual(rig.drops, []);
    rig.send({ type: 'ack', sequence: 2 });
    await rig.until(() => rig.stream.waiting?.frame === 2);
  });
});

describe('frames that were delayed on the way', () => {
  it('give way to newer ones, and are processed after a moment if none come', async () => {
    const rig = new Rig({ credits: 8 });
    rig.send({ type: 'hello', sent: performance.now() });
    await rig.until(() => rig.connection.state === 'active');
    const frame = (id: number, age: number): void =>
      rig.send({ type: 'frame', id, captured: performance.now() - age, data: picture });
    frame(0, 10);
    await rig.until(() => rig.stream.waiting?.frame === 0);
    rig.stream.admit();
    frame(1, 3000);
    frame(2, 2900);
    await rig.settled();
    assert.deepEqual([rig.stream.waiting, rig.drops], [null, ['1 superseded']]);
    frame(3, 10);
    assert.deepEqual(rig.drops, ['1 superseded', '2 superseded']);
    await rig.until(() => rig.stream.waiting?.frame === 3);
    rig.stream.admit();
    frame(4, 3000);
    await rig.until(() => rig.stream.waiting?.frame === 4);
  });
});

describe('after a stall of the server', () => {
  /** A session with a result that left the engine just as the server resumed. */
  async function stalled(): Promise<Rig> {
    const pauses = { last: { end: -Infinity, ms: 0 } };
    const rig = await Rig.active({ credits: 4 }, { pauses });
    rig.frame(0);
    await rig.until(() => rig.stream.waiting?.frame === 0);
    rig.stream.admit();
    pauses.last = { end: performance.now(), ms: 2000 };
    rig.stream.finish();
    await rig.settled();
    assert.deepEqual(rig.all('result'), []);
    return rig;
  }

  it('the frame in the engine gives way to a newer one', async () => {
    const rig = await stalled();
    await rig.generate(1);
    await rig.until(() => rig.all('result').length === 1);
    assert.deepEqual(rig.drops, ['0 stale']);
    assert.equal(rig.all('result')[0]?.id, 1);
    await rig.until(() => rig.stream.lent === 0);
  });

  it('all frames in the engine give way, however many there are', async () => {
    const pauses = { last: { end: -Infinity, ms: 0 } };
    const rig = await Rig.active({ credits: 8 }, { pauses });
    for (const id of [0, 1, 2]) {
      rig.frame(id);
      await rig.until(() => rig.stream.waiting?.frame === id);
      rig.stream.admit();
    }
    pauses.last = { end: performance.now(), ms: 2000 };
    rig.stream.finish();
    await rig.settled();
    rig.frame(3);
    await rig.until(() => rig.stream.waiting?.frame === 3);
    rig.stream.admit();
    for (let left = 0; left < 3; left++) {
      rig.stream.finish();
      await rig.settled();
    }
    assert.deepEqual(
      rig.all('result').map(({ id }) => id),
      [3],
    );
    assert.deepEqual(rig.drops, ['0 stale', '1 stale', '2 stale']);
  });

  it('the frame in the engine is sent after a moment if nothing newer comes', async () => {
    const rig = await stalled();
    await rig.until(() => rig.all('result').length === 1);
    assert.deepEqual(rig.drops, []);
    await rig.until(() => rig.stream.lent === 0);
  });
});

describe('a server that stalls again and again', () => {
  it('still sends every other result', async () => {
    const pauses = { last: { end: -Infinity, ms: 0 } };
    const rig = await Rig.active({ credits: 4 }, { pauses });
    for (let id = 0; id < 8; id++) {
      rig.frame(id);
      await rig.until(() => rig.stream.waiting?.frame === id);
      rig.stream.admit();
      pauses.last = { end: performance.now(), ms: 2000 };
      rig.stream.finish();
      await rig.settled();
      const [newest] = rig.all('result').slice(-1);
      if (newest) rig.send({ type: 'ack', sequence: newest.sequence });
    }
    assert.ok(rig.all('result').length >= 3, `${rig.all('result').length} of 8`);
  });

  it('holds nothing back after a pause that is short compared with the frame interval', async () => {
    const pauses = { last: { end: -Infinity, ms: 0 } };
    const rig = await Rig.active({}, { pauses });
    rig.frame(0);
    await rig.until(() => rig.stream.waiting?.frame === 0);
    rig.stream.admit();
    pauses.last = { end: performance.now(), ms: 250 };
    rig.stream.finish();
    await rig.until(() => rig.all('result').length === 1);
  });
});

describe('PauseWatch', () => {
  it('reports a pause before any timer has run', () => {
    using watch = new PauseWatch();
    assert.equal(watch.last.end, -Infinity);
    const begin = performance.now();
    while (performance.now() < begin + 250);
    assert.equal(watch.last.end, -Infinity, 'it was only busy');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
    const { end, ms } = watch.last;
    assert.ok(end >= begin + 500 && ms >= 250);
  });
});

describe('Pace', () => {
  it('limits events to a rate, and pokes when the next may happen', async () => {
    const pokes: number[] = [];
    const pace = new Pace(() => pokes.push(performance.now()));
    assert.equal(pace.check(), true);
    pace.limit(50);
    pace.take();
    assert.equal(pace.check(), false);
    while (pokes.length === 0) await new Promise((resolve) => setImmediate(resolve));
    while (!pace.check()) await new Promise((resolve) => setImmediate(resolve));
    pace.take();
    pace.limit(null);
    pace.take();
    await new Promise((resolve) => setTimeout(resolve, 25));
    assert.equal(pace.check(), true);
    pace.stop();
  });
});
