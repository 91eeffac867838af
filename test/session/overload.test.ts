import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Overload } from '../../src/session/overload.js';

const content = { wanted: 12, got: 12 };
const short = { wanted: 30, got: 5 };

describe('Overload', () => {
  it('limits nobody while all get what they are promised, or want less', () => {
    const overload = new Overload(10, 2);
    assert.equal(overload.look([content, { wanted: 2, got: 2 }, { wanted: 30, got: 9 }]), null);
    assert.equal(overload.look([]), null);
  });

  it('takes one missing frame for chance', () => {
    const slow = new Overload(2, 2);
    assert.equal(
      slow.look([
        { wanted: 2, got: 1.5 },
        { wanted: 2, got: 2 },
      ]),
      null,
    );
    assert.equal(
      slow.look([
        { wanted: 2, got: 1 },
        { wanted: 2, got: 2 },
      ]),
      1,
    );
  });

  it('leaves one alone to the engine', () => {
    assert.equal(new Overload(10, 2).look([short]), null);
  });

  it('limits all to what those could have that got too little', () => {
    const overload = new Overload(10, 2);
    assert.equal(overload.look([short, { wanted: 30, got: 7 }, { wanted: 1, got: 1 }]), 6);
    // Held to 6, they get their 6: it stays.
    assert.equal(
      overload.look([
        { wanted: 6, got: 6 },
        { wanted: 6, got: 5.5 },
      ]),
      6,
    );
    assert.equal(
      overload.look([
        { wanted: 6, got: 2 },
        { wanted: 6, got: 2 },
      ]),
      2,
    );
  });

  it('never limits to less than a frame a second', () => {
    assert.equal(
      new Overload(10, 2).look([
        { wanted: 9, got: 0 },
        { wanted: 9, got: 0.2 },
      ]),
      1,
    );
  });

  it('rises step by step when all goes well, until it limits nobody', () => {
    const overload = new Overload(10, 2);
    overload.look([short, short]);
    const limits = Array.from({ length: 20 }, () => overload.look([{ wanted: 5, got: 5 }, content]));
    assert.deepEqual([...new Set(limits)], [5, 6.3, 7.9, 9.9, null]);
  });
});
