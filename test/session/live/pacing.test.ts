import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Outlet } from '../../../src/session/wire/outlet.js';
import { Pacing } from '../../../src/session/live/pacing.js';
import type { Session } from '../../../src/session/live/session.js';
import { Rig } from '../rig.js';
import { stopTime } from '../../support/stopped-time.js';

/** Returns a session, the limits set for its frames, and those sent to its client. */
async function setUp(): Promise<{
  readonly pacing: Pacing;
  readonly session: Session;
  readonly limits: readonly (number | null)[];
  readonly sent: readonly (number | null)[];
}> {
  const rig = await Rig.active();
  const session = rig.context.sessions.find(rig.connection.id);
  assert.ok(session);
  const limits: (number | null)[] = [];
  const sent: (number | null)[] = [];
  session.frames.limit = (fps) => void limits.push(fps);
  const outlet: Pick<Outlet, 'send'> = {
    send: (message) => void (message.type === 'quality' && sent.push(message.fps)),
  };
  const pacing = new Pacing(session, outlet as Outlet);
  return { pacing, session, limits, sent };
}

describe('Pacing', () => {
  it('limits frames to the lower of token limit and share', async () => {
    const { pacing, limits, sent } = await setUp();
    pacing.allow({ fps: 20 });
    pacing.share(10.126);
    pacing.allow({ fps: 5 });
    pacing.allow({ size: 64 });
    pacing.share(null);
    assert.deepEqual(limits, [20, 10.126, 5, 10.126, null]);
    assert.deepEqual(sent, [10.13, null]);
    assert.equal(pacing.limit, null);
  });

  it('ignores a change of the share by less than a tenth', async () => {
    const { pacing, limits, sent } = await setUp();
    for (const fps of [null, 10, 10.9, 9.1, 10, 11.1, null]) pacing.share(fps);
    assert.deepEqual(sent, [10, 11.1, null]);
    assert.deepEqual(limits, [10, 11.1, null]);
    pacing.share(0);
    assert.equal(sent.at(-1), 0);
    assert.equal(pacing.limit, 0);
  });

  it('reports whether frames flow: recently, and while not paused', async (t) => {
    const pass = stopTime(t);
    const { pacing, session } = await setUp();
    assert.equal(pacing.flows, true);
    await session.configure({ ...session.parameters, paused: true });
    assert.equal(pacing.flows, false);
    await session.configure({ ...session.parameters, paused: false });
    pass(9999);
    assert.equal(pacing.flows, true);
    pass(1);
    assert.equal(pacing.flows, false);
  });
});
