import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Access } from '../../../src/session/access/access.js';
import { anonymous, type Grant } from '../../../src/session/access/grant.js';
import { SessionAccess } from '../../../src/session/access/session-access.js';

test('of two tokens that are renewed with, the one that was sent last counts, whichever is verified first', async () => {
  const waiting = new Map<string, (grant: Grant) => void>();
  const access: Access = {
    required: true,
    verify: (token = '') => new Promise((resolve) => waiting.set(token, resolve)),
  };
  const session = new SessionAccess(access, anonymous, () => assert.fail('neither token expires'));
  const granted = (fps: number): Grant => ({ ...anonymous, limits: { ...anonymous.limits, fps } });
  const renewals = [session.renew('old', anonymous.subject), session.renew('new', anonymous.subject)];
  waiting.get('new')?.(granted(30));
  await renewals[1];
  waiting.get('old')?.(granted(5));
  await renewals[0];
  assert.equal(session.grant.limits.fps, 30);
  session.stop();
});
