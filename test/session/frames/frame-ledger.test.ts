import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FrameLedger, type Frame } from '../../../src/session/frames/frame-ledger.js';

const receive = (ledger: FrameLedger, id: number): Frame => {
  const frame = ledger.receive(id, 0, 0);
  assert.ok(frame);
  return frame;
};

describe('FrameLedger', () => {
  it('takes rising ids only', () => {
    const ledger = new FrameLedger(9);
    receive(ledger, 0);
    receive(ledger, 5);
    assert.equal(ledger.receive(5, 0, 0), null);
    assert.equal(ledger.receive(4, 0, 0), null);
    receive(ledger, 2 ** 53 - 1);
  });

  it('gives the credit of a frame back once', () => {
    const ledger = new FrameLedger(2);
    const frame = receive(ledger, 0);
    assert.equal(ledger.total, 2);
    assert.equal(ledger.release(frame), true);
    assert.equal(ledger.release(frame), false);
    assert.equal(ledger.total, 3);
  });

  it('knows when the credits are overdrawn, and is even again once the frame is gone', () => {
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
});
