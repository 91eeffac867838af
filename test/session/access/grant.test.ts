import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultParameters } from '@millrace/protocol';
import {
  anonymous,
  checkGrant,
  readGrantLimits,
  secondsUntil,
  type GrantLimits,
} from '../../../src/session/access/grant.js';

const parameters = { ...defaultParameters(), width: 512, height: 256, t_index_list: [1, 2, 3] };

function assertExceeded(limits: GrantLimits, field: string, changes: Partial<typeof parameters> = {}): void {
  assert.throws(() => checkGrant(limits, { ...parameters, ...changes }), {
    code: 'limit_exceeded',
    details: { field },
  });
}

describe('the limits of a grant', () => {
  it('apply to both sides and to the steps, and allow the limit itself', () => {
    checkGrant({}, parameters);
    checkGrant({ size: 512, steps: 3 }, parameters);
    assertExceeded({ size: 511 }, 'width');
    assertExceeded({ size: 511 }, 'height', { width: 256, height: 512 });
    assertExceeded({ steps: 2 }, 't_index_list');
  });

  it('apply to plain steps if there is no list', () => {
    const plain = { ...parameters, t_index_list: null, steps: 3 };
    checkGrant({ steps: 3 }, plain);
    assert.throws(() => checkGrant({ steps: 2 }, plain), { details: { field: 'steps' } });
    checkGrant({ steps: 3 }, { ...parameters, steps: 9 });
  });

  it('are read from a token', () => {
    const none = undefined;
    assert.deepEqual(readGrantLimits(none), {});
    const limits = { sessions: 1, fps: 0.5, size: 512, steps: 4 };
    assert.deepEqual(readGrantLimits(limits), limits);
    for (const wrong of [null, 'all', { frames: 1 }, { sessions: 0 }, { sessions: 1.5 }, { steps: '4' }]) {
      assert.throws(() => readGrantLimits(wrong), TypeError, JSON.stringify(wrong));
    }
    for (const fps of [0, -1, Infinity, '1']) assert.throws(() => readGrantLimits({ fps }), TypeError);
  });
});

describe('the end of a grant', () => {
  it('is given in seconds from now, and is never in the past', (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
    assert.equal(secondsUntil(anonymous), null);
    assert.equal(secondsUntil({ ...anonymous, expires: 1_001_500 }), 1.5);
    assert.equal(secondsUntil({ ...anonymous, expires: 999_000 }), 0);
  });
});
