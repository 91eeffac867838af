import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createMetrics } from '../../../src/metrics/metrics.js';
import { ImageError } from '../../../src/image/image.js';
import { FrameAnswers } from '../../../src/session/frames/frame-answers.js';
import type { Frame } from '../../../src/session/frames/frame-ledger.js';
import { ClientClock } from '../../../src/session/wire/client-clock.js';
import type { Outlet } from '../../../src/session/wire/outlet.js';

/** Returns answers for two credits, and everything that is reported to the client and the meter. */
function setUp() {
  const reported: unknown[] = [];
  const meter = createMetrics().beginSession();
  meter.frameDropped = (reason) => void reported.push(reason);
  const outlet: Outlet = {
    clock: new ClientClock(),
    meter,
    send: (message) => void reported.push(message),
    report: (...error) => void reported.push(error),
  };
  const answers = new FrameAnswers(2);
  const receive = (id: number): Frame => {
    const frame = answers.ledger.receive(id, 0, 0);
    assert.ok(frame);
    return frame;
  };
  return { answers, outlet, reported, receive };
}

it('a dropped frame is reported once; one that the server made is reported only to the meter', () => {
  const { answers, outlet, reported, receive } = setUp();
  answers.connect(outlet);
  for (const id of [0, 1]) {
    const frame = receive(id);
    assert.deepEqual([answers.drop(frame, 'stale'), answers.drop(frame, 'failed')], [true, false]);
    assert.deepEqual(reported.splice(0), ['stale', { type: 'dropped', id, reason: 'stale' }]);
  }
  assert.equal(answers.drop(answers.ledger.create(0), 'failed'), true);
  assert.deepEqual(reported, ['failed']);
});

it('a frame with a result can no longer be dropped', () => {
  const { answers, outlet, reported, receive } = setUp();
  answers.connect(outlet);
  const frame = receive(0);
  assert.deepEqual([answers.answer(frame), answers.answer(frame)], [true, false]);
  assert.deepEqual([answers.drop(frame, 'stale'), reported], [false, []]);
});

it('a credit is returned once for each frame, counted from the start of the connection', () => {
  const { answers, outlet, reported, receive } = setUp();
  answers.connect(outlet);
  const [first, second] = [receive(0), receive(1)];
  answers.release(first);
  answers.release(first);
  assert.deepEqual(reported.splice(0), [{ type: 'credit', total: 3 }]);
  answers.connect(outlet);
  answers.release(second);
  assert.deepEqual([reported, answers.ledger.total], [[], 2], 'it was sent over the previous connection');
  answers.release(receive(2));
  assert.deepEqual(reported, [{ type: 'credit', total: 3 }]);
});

it('an unreadable picture is an error of the client, anything else an internal one', () => {
  const { answers, outlet, reported, receive } = setUp();
  answers.connect(outlet);
  const fault = new Error('no memory');
  assert.equal(answers.explain(receive(0), new ImageError('not a picture')), 'invalid');
  assert.equal(answers.explain(receive(1), fault), 'failed');
  assert.deepEqual(reported, [
    ['invalid_frame', 'not a picture', { id: 0 }],
    ['internal', 'the frame could not be prepared', { id: 1 }, fault],
  ]);
});

it('without a connection frames are still accounted for, and nothing is reported', () => {
  const { answers, outlet, reported, receive } = setUp();
  answers.connect(outlet);
  assert.equal(answers.outlet, outlet);
  const frames = [receive(0), receive(1)];
  answers.disconnect();
  assert.equal(answers.outlet, null);
  assert.equal(answers.drop(frames[0], 'stale'), true);
  answers.release(frames[0]);
  assert.equal(answers.explain(frames[1], new ImageError('not a picture')), 'invalid');
  assert.equal(answers.explain(frames[1], new Error('no memory')), 'failed');
  assert.deepEqual([reported, answers.ledger.total, answers.ledger.open()], [[], 3, [frames[1]]]);
});

it('no frame is answered after close', () => {
  const { answers, outlet, reported, receive } = setUp();
  answers.connect(outlet);
  const frame = receive(0);
  answers.close();
  assert.deepEqual([answers.answer(frame), answers.drop(frame, 'stale'), reported], [false, false, []]);
});
