import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Access } from '../../../src/session/access/access.js';
import { anonymous, type Grant } from '../../../src/session/access/grant.js';
import { ConnectionAccess } from '../../../src/session/connection/connection-access.js';

test('of two renewals the one that was sent last counts, whichever token is verified first', async () => {
  const waiting = new Map<string, (grant: Grant) => void>();
  const access: Access = {
    required: true,
    verify: (token = '') => new Promise((resolve) => waiting.set(token, resolve)),
  };
  const gone = new AbortController();
  const session = new ConnectionAccess(
    access,
    anonymous,
    () => assert.fail('neither token expires'),
    gone.signal,
  );
  const granted = (fps: number): Grant => ({ ...anonymous, limits: { ...anonymous.limits, fps } });
  const renewals = [session.renew('old', anonymous.subject), session.renew('new', anonymous.subject)];
  waiting.get('new')?.(granted(30));
  await renewals[1];
  waiting.get('old')?.(granted(5));
  await renewals[0];
  assert.equal(session.grant.limits.fps, 30);
  gone.abort();
});

/** Each token is the name of its user; `gone` is valid for one second. */
function setUp(required = true, grant: Grant | null = null) {
  const verified: (string | undefined)[] = [];
  const access: Access = {
    required,
    verify(token) {
      verified.push(token);
      const expires = token === 'gone' ? Date.now() + 1000 : null;
      return Promise.resolve({ subject: token ?? 'nobody', expires, limits: {} });
    },
  };
  let expired = 0;
  const gone = new AbortController();
  const session = new ConnectionAccess(access, grant, () => void expired++, gone.signal);
  return { gone, session, verified, expired: () => expired };
}

test('the token of hello takes precedence over that of the connection, and none is verified twice', async () => {
  const known = { ...anonymous, subject: 'ann' };
  const first = setUp(true, known);
  const none = undefined;
  assert.equal(await first.session.greet(none), known);
  assert.deepEqual(first.verified, []);
  assert.equal((await first.session.greet('bob')).subject, 'bob');
  assert.equal(first.session.grant.subject, 'bob');
  const second = setUp();
  assert.equal(second.session.grant, anonymous);
  assert.equal(anonymous.subject, 'anonymous');
  assert.equal((await second.session.greet(none)).subject, 'nobody');
  assert.deepEqual(second.verified, [none]);
  const open = setUp(false, known);
  assert.equal(await open.session.greet(none), anonymous, 'without required tokens all users are the same');
});

test('only the same user can renew a token, and gets the lifetime of the new one', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  const { session, expired } = setUp(true, { ...anonymous, subject: 'gone' });
  assert.deepEqual(await session.renew('gone', 'gone'), { type: 'authenticated', expires_seconds: 1 });
  await assert.rejects(session.renew('bob', 'gone'), { code: 'unauthorized' });
  assert.deepEqual(session.grant.subject, 'gone');
  t.mock.timers.tick(999);
  assert.equal(expired(), 0);
  t.mock.timers.tick(1);
  assert.equal(expired(), 1);
});

test('a token does not expire if one without an expiry replaced it, or if its connection has ended', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  const renewed = setUp();
  await renewed.session.renew('gone', 'gone');
  assert.deepEqual(await renewed.session.renew('ann', 'ann'), { type: 'authenticated' });
  const stopped = setUp();
  await stopped.session.greet('gone');
  stopped.session.watch();
  stopped.gone.abort();
  await stopped.session.renew('gone', 'gone');
  t.mock.timers.tick(5000);
  assert.deepEqual([renewed.expired(), stopped.expired()], [0, 0]);
});
