import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FrameLedger, publicId, type Frame } from '../../../src/session/frames/frame-ledger.js';

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
    assert.equal(ledger.release(frame), true);
    assert.equal(ledger.release(frame), false);
    assert.equal(ledger.total, 3);
  });

  it('reports overdrawn credits until the extra frame is released', () => {
    const ledger = new FrameLedger(2);
    receive(ledger, 0);
    receive(ledger, 1);
    assert.equal(ledger.overdrawn, false);
    const third = receive(ledger, 2);
    assert.equal(ledger.overdrawn, true);
    ledger.release(third);
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
    assert.equal(ledger.release(frames[0]), false);
    assert.deepEqual([ledger.total, ledger.overdrawn, ledger.nextId], [2, false, 0]);
  });

  it('continues after the ids of frames from another server', () => {
    const ledger = new FrameLedger(2);
    const frame = ledger.adopt(6, 60, 9);
    assert.deepEqual([frame.captured, frame.arrivedAt, frame.place], [60, 9, 'engine']);
    assert.equal(ledger.adopt(4, 40, 9).id, 4);
    assert.equal(ledger.receive(6, 0, 0), null);
    assert.deepEqual([ledger.nextId, ledger.nextOwnId], [7, -1]);
    ledger.adopt(-3, 0, 9);
    ledger.adopt(-2, 0, 9);
    assert.deepEqual([ledger.nextId, ledger.nextOwnId], [7, -4]);
    assert.equal(ledger.open().length, 4);
  });

  it('starts counting credits again with each connection', () => {
    const ledger = new FrameLedger(1);
    const frame = receive(ledger, 0);
    receive(ledger, 1);
    assert.equal(ledger.overdrawn, true);
    ledger.renew(3);
    assert.deepEqual([ledger.total, ledger.overdrawn], [3, false]);
    assert.equal(ledger.release(frame), false, 'its credit belonged to the previous connection');
    assert.equal(ledger.receive(1, 0, 0), null, 'ids must still rise');
    for (const id of [2, 3, 4]) receive(ledger, id);
    assert.equal(ledger.overdrawn, false);
    receive(ledger, 5);
    assert.equal(ledger.overdrawn, true);
  });
});
