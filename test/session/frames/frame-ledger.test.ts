import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FrameLedger, publicId, type Frame } from '../../../src/session/frames/frame-ledger.js';
import { createClient } from './parts.js';

const receive = (ledger: FrameLedger, id: number): Frame => {
  const frame = ledger.receive(id, 0, 0);
  assert.ok(frame);
  return frame;
};

describe('FrameLedger', () => {
  it('accepts rising ids only', () => {
    const ledger = new FrameLedger(9);
    receive(ledger, 0);
    receive(ledger, 5);
    assert.equal(ledger.receive(5, 0, 0), null);
    assert.equal(ledger.receive(4, 0, 0), null);
    receive(ledger, 2 ** 53 - 1);
  });

  it('returns the credit of a frame once', () => {
    const ledger = new FrameLedger(2);
    const frame = receive(ledger, 0);
    assert.equal(ledger.total, 2);
    ledger.admit(frame, 80, 0);
    assert.equal(ledger.total, 3);
    ledger.drop(frame, 'failed');
    assert.equal(ledger.total, 3);
  });

  it('reports overdrawn credits until the extra frame is dropped', () => {
    const ledger = new FrameLedger(2);
    receive(ledger, 0);
    receive(ledger, 1);
    assert.equal(ledger.overdrawn, false);
    const third = receive(ledger, 2);
    assert.equal(ledger.overdrawn, true);
    ledger.drop(third, 'overload');
    assert.equal(ledger.overdrawn, false);
  });

  it('answers each frame once', () => {
    const ledger = new FrameLedger(2);
    const frame = receive(ledger, 7);
    assert.equal(ledger.find(7), frame);
    assert.deepEqual(ledger.open(), [frame]);
    assert.equal(ledger.answer(frame), true);
    assert.equal(ledger.answer(frame), false);
    assert.equal(ledger.find(7), undefined);
    assert.deepEqual(ledger.open(), []);
  });

  it('counts down the ids of frames that the server makes; they use no credit', () => {
    const ledger = new FrameLedger(2);
    assert.equal(ledger.nextOwnId, -1);
    const frames = [ledger.create(7), ledger.create(8)];
    assert.deepEqual(
      frames.map(({ id, captured, arrivedAt, place }) => [id, captured, arrivedAt, place]),
      [
        [-1, 0, 7, 'input'],
        [-2, 0, 8, 'input'],
      ],
    );
    assert.equal(ledger.nextOwnId, -3);
    assert.deepEqual(
      frames.map(({ id }) => publicId(id)),
      [0, 1],
    );
    assert.equal(publicId(0), 0);
    ledger.admit(frames[0], 80, 8);
    ledger.drop(frames[1], 'failed');
    assert.deepEqual([ledger.total, ledger.overdrawn, ledger.nextId], [2, false, 0]);
  });

  it('continues after the ids of frames from another server', () => {
    const ledger = new FrameLedger(2);
    const frame = ledger.adopt({ id: 6, captured: 60 }, 70, 9);
    const { captured, arrivedAt, place, quality } = frame;
    assert.deepEqual([captured, arrivedAt, place, quality], [60, 9, 'engine', 70]);
    assert.equal(ledger.adopt({ id: 4, captured: 40 }, 70, 9).id, 4);
    assert.equal(ledger.receive(6, 0, 0), null);
    assert.deepEqual([ledger.nextId, ledger.nextOwnId], [7, -1]);
    for (const id of [-3, -2]) ledger.adopt({ id, captured: 0 }, 70, 9);
    assert.deepEqual([ledger.nextId, ledger.nextOwnId], [7, -4]);
    assert.equal(ledger.open().length, 4);
  });

  it('starts counting credits again with each connection', () => {
    const ledger = new FrameLedger(1);
    const frame = receive(ledger, 0);
    receive(ledger, 1);
    assert.equal(ledger.overdrawn, true);
    ledger.connect(createClient().outlet);
    assert.deepEqual([ledger.total, ledger.overdrawn], [1, false]);
    ledger.drop(frame, 'stale');
    assert.equal(ledger.total, 1, 'its credit belonged to the previous connection');
    assert.equal(ledger.receive(1, 0, 0), null, 'ids must still rise');
    receive(ledger, 2);
    assert.equal(ledger.overdrawn, false);
    receive(ledger, 3);
    assert.equal(ledger.overdrawn, true);
  });

  it('records where a frame is, how long it took to get there, and when frames last moved', () => {
    const ledger = new FrameLedger(1);
    const frame = ledger.receive(0, 5, 100);
    assert.ok(frame);
    assert.deepEqual([frame.place, ledger.lastActivityAt], ['input', 100]);
    ledger.begin(frame);
    ledger.enter(frame, 110);
    assert.deepEqual([frame.place, frame.inputMs], ['engine', 10]);
    ledger.admit(frame, 75, 130);
    assert.deepEqual([frame.place, frame.queueMs, frame.quality], ['engine', 20, 75]);
    assert.equal(ledger.lastActivityAt, 100);
    ledger.finish(frame, 170);
    assert.deepEqual([frame.place, ledger.lastActivityAt], ['output', 170]);
  });
});

it('all frames are admitted once each that began has been admitted or dropped, or the ledger is closed', async () => {
  for (const end of ['admit', 'drop', 'close'] as const) {
    const ledger = new FrameLedger(3);
    const [other, first, second] = [receive(ledger, 0), receive(ledger, 1), receive(ledger, 2)];
    await ledger.allAdmitted();
    ledger.begin(first);
    ledger.begin(second);
    let settled = false;
    const admitted = ledger.allAdmitted().then(() => (settled = true));
    ledger.drop(other, 'superseded');
    ledger.enter(first, 0);
    ledger.admit(second, 80, 0);
    await new Promise(setImmediate);
    assert.equal(settled, false);
    if (end === 'admit') ledger.admit(first, 80, 0);
    if (end === 'drop') ledger.drop(first, 'failed');
    if (end === 'close') ledger.close();
    await admitted;
    await ledger.allAdmitted();
  }
});
