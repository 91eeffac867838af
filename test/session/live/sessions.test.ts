import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { defaultParameters } from '@millrace/protocol';
import { pictureCodec } from '../../../src/image/codec.js';
import { FramePipeline } from '../../../src/session/frames/frame-pipeline.js';
import { PictureTurns } from '../../../src/session/frames/picture-turns.js';
import { Sessions } from '../../../src/session/live/sessions.js';
import { Audience, Audiences } from '../../../src/session/live/audience.js';
import { Session } from '../../../src/session/live/session.js';
import { stopTime } from '../../support/stopped-time.js';

const graceMs = 100;
const tokenLifeMs = 1000;

interface Rig {
  readonly sessions: Sessions;
  /** Sessions whose connection was replaced. */
  readonly evicted: string[];
  /** Sessions whose slot was given back. */
  readonly released: string[];
  readonly pass: (ms: number) => void;
  readonly add: (id: string, subject?: string) => Session;
}

function setUp(t: TestContext): Rig {
  const pass = stopTime(t);
  const sessions = new Sessions(graceMs, tokenLifeMs);
  const evicted: string[] = [];
  const released: string[] = [];
  const add = (id: string, subject = 'ann'): Session => {
    const session = new Session({
      id,
      subject,
      frames: new FramePipeline({
        limits: { credits: 2, unacknowledgedResults: 2, framePixels: 1_000_000 },
        allocate: (bytes) => new Uint8Array(bytes),
        pictures: pictureCodec,
        controls: [],
        turns: new PictureTurns(1),
        pauses: { last: { end: -Infinity, ms: 0 } },
      }),
      audience: new Audience(new Audiences({ perSession: 1, perServer: 1 }, { viewers: () => {} })),
      slot: { release: () => void released.push(id) },
      parameters: { ...defaultParameters(), prompt: id },
      counter: 0,
    });
    session.attach(() => void evicted.push(id));
    sessions.add(session);
    return session;
  };
  return { sessions, evicted, released, pass, add };
}

describe('a session whose connection was lost', () => {
  it('waits for its client for the grace period, and then ends', (t) => {
    const { sessions, released, pass, add } = setUp(t);
    const session = add('a');
    sessions.park(session);
    assert.deepEqual([sessions.parked, [...sessions.away()], session.attached], [1, [session], false]);
    pass(graceMs / 2);
    sessions.park(session);
    assert.equal(sessions.parked, 1);
    pass(graceMs / 2 - 1);
    assert.equal(sessions.find('a'), session);
    pass(1);
    assert.equal(sessions.find('a'), undefined);
    assert.deepEqual([sessions.parked, released], [0, ['a']]);
  });

  it('continues if it is taken in time', (t) => {
    const { sessions, evicted, released, pass, add } = setUp(t);
    const session = add('a');
    sessions.park(session);
    sessions.take(session);
    assert.equal(sessions.parked, 0);
    pass(2 * graceMs);
    assert.equal(sessions.find('a'), session);
    assert.deepEqual([evicted, released], [[], []], 'it had no connection');
  });

  it('does not wait if it has ended', (t) => {
    const { sessions, released, pass, add } = setUp(t);
    const session = add('a');
    sessions.end(session);
    sessions.park(session);
    assert.equal(sessions.parked, 0);
    pass(2 * graceMs);
    assert.deepEqual(released, ['a']);
  });

  it('ends when the server stops, but those with a connection do not', (t) => {
    const { sessions, released, pass, add } = setUp(t);
    add('a');
    sessions.park(add('b'));
    sessions.close();
    assert.deepEqual([released, sessions.parked], [['b'], 0]);
    pass(2 * graceMs);
    assert.deepEqual(released, ['b'], 'once');
  });
});

describe('a session that is taken by another connection', () => {
  it('is on its way until that has it', (t) => {
    const { sessions, add } = setUp(t);
    const session = add('a');
    assert.equal(sessions.isOpening(session), false, 'a connection has it');
    sessions.park(session);
    assert.equal(sessions.isOpening(session), false, 'it waits for its client');
    sessions.take(session);
    assert.equal(sessions.isOpening(session), true);
    session.attach(() => {});
    assert.equal(sessions.isOpening(session), false);
  });

  it('informs the first one, once', (t) => {
    const { sessions, evicted, add } = setUp(t);
    const session = add('a');
    sessions.take(session);
    sessions.take(session);
    assert.deepEqual(evicted, ['a']);
  });
});

describe('the sessions of a user', () => {
  it('are counted with those that are expected', (t) => {
    const { sessions, add } = setUp(t);
    add('a');
    add('b');
    add('c', 'bob');
    const forget = sessions.expect('ann');
    const forgetOther = sessions.expect('ann');
    assert.deepEqual([sessions.count('ann'), sessions.count('bob'), sessions.count('eve')], [4, 1, 0]);
    forget();
    assert.equal(sessions.count('ann'), 3);
    forgetOther();
    assert.equal(sessions.count('ann'), 2);
    assert.deepEqual(
      [...sessions.parameters()].map(({ prompt }) => prompt),
      ['a', 'b', 'c'],
    );
  });
});

describe('resume tokens', () => {
  it('are spent up to a number, and for their lifetime', (t) => {
    const { sessions, pass } = setUp(t);
    assert.equal(sessions.isSpent('a', 1), false);
    sessions.spend('a', 3);
    sessions.spend('a', 2);
    assert.deepEqual(
      [sessions.isSpent('a', 3), sessions.isSpent('a', 4), sessions.isSpent('b', 1)],
      [true, false, false],
    );
    pass(tokenLifeMs - 1);
    sessions.spend('b', 1);
    assert.equal(sessions.isSpent('a', 3), true);
    pass(1);
    sessions.spend('c', 1);
    assert.deepEqual([sessions.isSpent('a', 3), sessions.isSpent('b', 1)], [false, true]);
  });

  it('stay spent for a lifetime after the last time', (t) => {
    const { sessions, pass } = setUp(t);
    sessions.spend('a', 1);
    pass(600);
    sessions.spend('a', 2);
    pass(600);
    sessions.spend('b', 1);
    assert.equal(sessions.isSpent('a', 2), true);
  });

  it('are all spent when the session has ended, but not when it was only removed here', (t) => {
    const { sessions, add } = setUp(t);
    sessions.end(add('a'));
    sessions.remove(add('b'));
    assert.deepEqual([sessions.isSpent('a', 1e9), sessions.isSpent('b', 1)], [true, false]);
  });
});
