import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Audience, Audiences, type AudienceLimits } from '../../../src/session/live/audience.js';
import { stopTime } from '../../support/stopped-time.js';

/** Returns audiences, and the number of viewers that they have reported last. */
function setUp(limits: Partial<AudienceLimits> = {}) {
  const reported = { viewers: 0 };
  const metrics = { viewers: (present: number) => void (reported.viewers = present) };
  return { all: new Audiences({ perSession: 2, perServer: 3, ...limits }, metrics), reported };
}

function viewer() {
  const seen: number[] = [];
  return {
    seen,
    ended: false,
    show: (picture: Uint8Array) => void seen.push(picture[0] ?? -1),
    end() {
      this.ended = true;
    },
  };
}

const picture = (number: number): Uint8Array => Uint8Array.of(number);

describe('the audience of a session', () => {
  it('gets each result unchanged, and somebody new at once the last one', () => {
    const audience = new Audience(setUp().all);
    audience.invite();
    const [first, second] = [viewer(), viewer()];
    audience.show(picture(1));
    const leave = audience.join(first);
    audience.show(picture(2));
    audience.join(second);
    audience.show(picture(3));
    leave();
    leave();
    audience.show(picture(4));
    assert.deepEqual(first.seen, [1, 2, 3]);
    assert.deepEqual(second.seen, [2, 3, 4]);
  });

  it('has no picture from before its owner made a link', () => {
    const audience = new Audience(setUp().all);
    const somebody = viewer();
    audience.show(picture(1));
    audience.join(somebody);
    assert.deepEqual(somebody.seen, []);
  });

  it('is limited, for each session and for the server', () => {
    const { all, reported } = setUp();
    const [a, b] = [new Audience(all), new Audience(all)];
    a.join(viewer());
    const leave = a.join(viewer());
    assert.throws(() => a.join(viewer()), {
      code: 'too_many_viewers',
      message: /session .* at most 2 \(maxViewersPerSession\)/,
    });
    b.join(viewer());
    assert.equal(reported.viewers, 3);
    assert.throws(() => b.join(viewer()), {
      code: 'too_many_viewers',
      message: /server .* at most 3 \(maxViewers\)/,
    });
    leave();
    assert.equal(reported.viewers, 2);
    b.join(viewer());
    assert.equal(reported.viewers, 3);
  });

  it('leaves with the end of the session', () => {
    const { all, reported } = setUp();
    const audience = new Audience(all);
    const [first, second] = [viewer(), viewer()];
    const leave = audience.join(first);
    audience.join(second);
    audience.close();
    leave();
    assert.deepEqual([first.ended, second.ended, reported.viewers], [true, true, 0]);
    audience.show(picture(1));
    assert.deepEqual(first.seen, []);
    assert.throws(() => audience.join(viewer()), { code: 'not_found' });
  });

  it('gets the last picture again while there is no new one', (t) => {
    const pass = stopTime(t);
    const audience = new Audience(setUp().all);
    const somebody = viewer();
    const leave = audience.join(somebody);
    audience.show(picture(1));
    pass(9000);
    assert.deepEqual(somebody.seen, [1]);
    pass(21_000);
    assert.deepEqual(somebody.seen, [1, 1, 1, 1]);
    leave();
    pass(60_000);
    assert.equal(somebody.seen.length, 4);
  });
});
