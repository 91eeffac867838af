import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { defaultParameters } from '@millrace/protocol';
import { pictureCodec } from '../../../src/image/codec.js';
import { FramePipeline } from '../../../src/session/frames/frame-pipeline.js';
import { PictureTurns } from '../../../src/session/frames/picture-turns.js';
import { Seats, type Seat } from '../../../src/session/seats/seats.js';
import { stopTime } from '../../support/stopped-time.js';

const graceMs = 100;
const tokenLifeMs = 1000;

/** Who was told that another takes its session, and whose place was given to the next. */
interface Rig {
  readonly seats: Seats;
  readonly evicted: string[];
  readonly released: string[];
  readonly pass: (ms: number) => void;
  readonly add: (id: string, subject?: string) => Seat;
}

function setUp(t: TestContext): Rig {
  const pass = stopTime(t);
  const seats = new Seats(graceMs, tokenLifeMs);
  const evicted: string[] = [];
  const released: string[] = [];
  const add = (id: string, subject = 'ann'): Seat => {
    const seat: Seat = {
      id,
      subject,
      frames: new FramePipeline({
        limits: { credits: 2, unacknowledgedResults: 2, framePixels: 1_000_000 },
        allocate: (bytes) => new Uint8Array(bytes),
        pictures: pictureCodec,
        turns: new PictureTurns(1),
        pauses: { last: { end: -Infinity, ms: 0 } },
      }),
      lease: { release: () => void released.push(id) },
      parameters: { ...defaultParameters(), prompt: id },
      updates: Promise.resolve(),
      counter: 0,
      evict: () => void evicted.push(id),
    };
    seats.add(seat);
    return seat;
  };
  return { seats, evicted, released, pass, add };
}

describe('a session whose connection was lost', () => {
  it('waits for its client, and is then given up', (t) => {
    const { seats, released, pass, add } = setUp(t);
    const seat = add('a');
    seats.park(seat);
    assert.deepEqual([seats.parked, [...seats.away()], seat.evict], [1, [seat], null]);
    pass(graceMs / 2);
    seats.park(seat);
    assert.equal(seats.parked, 1);
    pass(graceMs / 2 - 1);
    assert.equal(seats.find('a'), seat);
    pass(1);
    assert.equal(seats.find('a'), undefined);
    assert.deepEqual([seats.parked, released], [0, ['a']]);
  });

  it('stays if it is taken in time', (t) => {
    const { seats, evicted, released, pass, add } = setUp(t);
    const seat = add('a');
    seats.park(seat);
    seats.take(seat);
    assert.equal(seats.parked, 0);
    pass(2 * graceMs);
    assert.equal(seats.find('a'), seat);
    assert.deepEqual([evicted, released], [[], []], 'nobody had it');
  });

  it('does not wait if it has ended', (t) => {
    const { seats, released, pass, add } = setUp(t);
    const seat = add('a');
    seats.end(seat);
    seats.park(seat);
    assert.equal(seats.parked, 0);
    pass(2 * graceMs);
    assert.deepEqual(released, ['a']);
  });

  it('is given up when the server stops, and those with a connection are not', (t) => {
    const { seats, released, pass, add } = setUp(t);
    add('a');
    seats.park(add('b'));
    seats.close();
    assert.deepEqual([released, seats.parked], [['b'], 0]);
    pass(2 * graceMs);
    assert.deepEqual(released, ['b'], 'once');
  });
});

describe('a session that is taken by another connection', () => {
  it('has the first one told, once', (t) => {
    const { seats, evicted, add } = setUp(t);
    const seat = add('a');
    seats.take(seat);
    seats.take(seat);
    assert.deepEqual(evicted, ['a']);
  });
});

describe('the sessions of a user', () => {
  it('are counted with those that are to come', (t) => {
    const { seats, add } = setUp(t);
    add('a');
    add('b');
    add('c', 'bob');
    const forget = seats.expect('ann');
    const forgetOther = seats.expect('ann');
    assert.deepEqual([seats.count('ann'), seats.count('bob'), seats.count('eve')], [4, 1, 0]);
    forget();
    assert.equal(seats.count('ann'), 3);
    forgetOther();
    assert.equal(seats.count('ann'), 2);
    assert.deepEqual(
      [...seats.parameters()].map(({ prompt }) => prompt),
      ['a', 'b', 'c'],
    );
  });
});

describe('resume tokens', () => {
  it('are spent up to a number, and for as long as they last', (t) => {
    const { seats, pass } = setUp(t);
    assert.equal(seats.isSpent('a', 1), false);
    seats.spend('a', 3);
    seats.spend('a', 2);
    assert.deepEqual(
      [seats.isSpent('a', 3), seats.isSpent('a', 4), seats.isSpent('b', 1)],
      [true, false, false],
    );
    pass(tokenLifeMs - 1);
    seats.spend('b', 1);
    assert.equal(seats.isSpent('a', 3), true);
    pass(1);
    seats.spend('c', 1);
    assert.deepEqual([seats.isSpent('a', 3), seats.isSpent('b', 1)], [false, true]);
  });

  it('are spent again from the last time on', (t) => {
    const { seats, pass } = setUp(t);
    seats.spend('a', 1);
    pass(600);
    seats.spend('a', 2);
    pass(600);
    seats.spend('b', 1);
    assert.equal(seats.isSpent('a', 2), true);
  });

  it('are all spent when the session has ended, and not when it has only gone from here', (t) => {
    const { seats, add } = setUp(t);
    seats.end(add('a'));
    seats.remove(add('b'));
    assert.deepEqual([seats.isSpent('a', 1e9), seats.isSpent('b', 1)], [true, false]);
  });
});
