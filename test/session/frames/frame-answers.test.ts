import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createMetrics } from '../../../src/metrics/metrics.js';
import { ImageError } from '../../../src/image/image.js';
import { FrameAnswers } from '../../../src/session/frames/frame-answers.js';
import type { Frame } from '../../../src/session/frames/frame-ledger.js';
import { ClientClock } from '../../../src/session/wire/client-clock.js';
import type { Outlet } from '../../../src/session/wire/outlet.js';

/** The books of frames for two credits, and all that the client and the meter are told. */
function setUp() {
  const told: unknown[] = [];
  const meter = createMetrics().beginSession();
  meter.frameDropped = (reason) => void told.push(reason);
  const outlet: Outlet = {
    clock: new ClientClock(),
    meter,
    send: (message) => void told.push(message),
    report: (...error) => void told.push(error),
  };
  const answers = new FrameAnswers(2);
  const receive = (id: number): Frame => {
    const frame = answers.ledger.receive(id, 0, 0);
    assert.ok(frame);
    return frame;
  };
  return { answers, outlet, told, receive };
}

it('a frame that is dropped is told of once, and of those that the server makes only the meter is', () => {
  const { answers, outlet, told, receive } = setUp();
  answers.connect(outlet);
  for (const id of [0, 1]) {
    const frame = receive(id);
    assert.deepEqual([answers.drop(frame, 'stale'), answers.drop(frame, 'failed')], [true, false]);
    assert.deepEqual(told.splice(0), ['stale', { type: 'dropped', id, reason: 'stale' }]);
  }
  assert.equal(answers.drop(answers.ledger.create(0), 'failed'), true);
  assert.deepEqual(told, ['failed']);
});

it('a frame that has its result is not dropped after that', () => {
  const { answers, outlet, told, receive } = setUp();
  answers.connect(outlet);
  const frame = receive(0);
  assert.deepEqual([answers.answer(frame), answers.answer(frame)], [true, false]);
  assert.deepEqual([answers.drop(frame, 'stale'), told], [false, []]);
});

it('a credit comes back once for each frame, counted from the beginning of the connection', () => {
  const { answers, outlet, told, receive } = setUp();
  answers.connect(outlet);
  const [first, second] = [receive(0), receive(1)];
  answers.release(first);
  answers.release(first);
  assert.deepEqual(told.splice(0), [{ type: 'credit', total: 3 }]);
  answers.connect(outlet);
  answers.release(second);
  assert.deepEqual([told, answers.ledger.total], [[], 2], 'it was sent over the connection before');
  answers.release(receive(2));
  assert.deepEqual(told, [{ type: 'credit', total: 3 }]);
});

it('a picture that cannot be read is the fault of the client, and anything else is not', () => {
  const { answers, outlet, told, receive } = setUp();
  answers.connect(outlet);
  const fault = new Error('no memory');
  assert.equal(answers.explain(receive(0), new ImageError('not a picture')), 'invalid');
  assert.equal(answers.explain(receive(1), fault), 'failed');
  assert.deepEqual(told, [
    ['invalid_frame', 'not a picture', { id: 0 }],
    ['internal', 'the frame could not be prepared', { id: 1 }, fault],
  ]);
});

it('with no connection the books go on, and nobody is told', () => {
  const { answers, outlet, told, receive } = setUp();
  answers.connect(outlet);
  assert.equal(answers.outlet, outlet);
  const frames = [receive(0), receive(1)];
  answers.disconnect();
  assert.equal(answers.outlet, null);
  assert.equal(answers.drop(frames[0], 'stale'), true);
  answers.release(frames[0]);
  assert.equal(answers.explain(frames[1], new ImageError('not a picture')), 'invalid');
  assert.equal(answers.explain(frames[1], new Error('no memory')), 'failed');
  assert.deepEqual([told, answers.ledger.total, answers.ledger.open()], [[], 3, [frames[1]]]);
});

it('no frame is answered once they are closed', () => {
  const { answers, outlet, told, receive } = setUp();
  answers.connect(outlet);
  const frame = receive(0);
  answers.close();
  assert.deepEqual([answers.answer(frame), answers.drop(frame, 'stale'), told], [false, false, []]);
});
