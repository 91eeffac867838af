import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultParameters, type ServerMessage } from '@millrace/protocol';
import { Checkpoints } from '../../../src/session/connection/checkpoints.js';
import type { ResumeState } from '../../../src/session/live/resume-token.js';
import { Audience } from '../../../src/session/live/audience.js';
import { Session } from '../../../src/session/live/session.js';
import { ManualEngine } from '../manual-engine.js';
import { Rig, sessionContext } from '../rig.js';

it('a checkpoint is sent after each interval with frames, and after no other', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const rig = await Rig.active({ checkpointIntervalMs: 1000 });
  await rig.until(() => rig.all('checkpoint').length === 1);
  t.mock.timers.tick(1000);
  await rig.settled();
  assert.equal(rig.all('checkpoint').length, 1, 'no frame came');
  await rig.generate(0);
  await rig.until(() => rig.all('result').length === 1);
  t.mock.timers.tick(999);
  await rig.settled();
  assert.equal(rig.all('checkpoint').length, 1);
  t.mock.timers.tick(1);
  await rig.until(() => rig.all('checkpoint').length === 2);
  t.mock.timers.tick(1000);
  await rig.settled();
  assert.equal(rig.all('checkpoint').length, 2, 'no frame came since');
  rig.connection.disconnected(1006);
  t.mock.timers.tick(5000);
  await rig.settled();
  assert.equal(rig.all('checkpoint').length, 2, 'the connection is lost');
});

/** Returns checkpoints of session `a`, whose tokens contain their number. */
function setUp() {
  const sent: string[] = [];
  const connection = {
    bufferedBytes: 0,
    send: (message: ServerMessage) => void (message.type === 'checkpoint' && sent.push(message.token)),
    close: () => {},
  };
  const tokens = {
    lifetimeMs: 60_000,
    seal: ({ counter }: ResumeState) => `token ${counter}`,
    open: () => null,
  };
  const context = sessionContext(new ManualEngine(), {}, { tokens });
  let fault: Error | null = null;
  const snapshot = async (): Promise<object> => {
    await Promise.resolve();
    if (fault) throw fault;
    return { state: { ordinal: 0, frames: [] }, carried: [] };
  };
  const frames = { lastActivityAt: 0, snapshot };
  const session = new Session({
    id: 'a',
    subject: 'ann',
    counter: 0,
    frames: frames as never,
    audience: new Audience(context.audiences),
    slot: { release: () => {} },
    parameters: defaultParameters(),
  });
  const results = { last: 0 };
  const gone = new AbortController();
  const checkpoints = new Checkpoints(context, session, {
    wire: connection,
    sequence: () => results.last,
    gone: gone.signal,
  });
  return {
    gone,
    checkpoints,
    connection,
    results,
    sent,
    session,
    frames,
    fail: (error: Error | null) => void (fault = error),
    isSpent: (counter: number) => context.sessions.isSpent('a', counter),
  };
}

describe('the tokens before a checkpoint', () => {
  it('are spent when the client acknowledges a result that came after it', async () => {
    const { gone, checkpoints, results, sent, isSpent } = setUp();
    for (const last of [0, 3, 3, 5]) {
      results.last = last;
      await checkpoints.send();
    }
    assert.deepEqual(sent, ['token 1', 'token 2', 'token 3', 'token 4']);
    checkpoints.acknowledged(3);
    assert.deepEqual([isSpent(1), isSpent(2)], [false, false], 'result 3 came before the tokens 2 and 3');
    checkpoints.acknowledged(4);
    assert.deepEqual([isSpent(2), isSpent(3)], [true, false]);
    checkpoints.acknowledged(5);
    checkpoints.acknowledged(0);
    assert.deepEqual([isSpent(3), isSpent(4)], [false, false], 'result 5 came before token 4');
    checkpoints.acknowledged(6);
    assert.deepEqual([isSpent(3), isSpent(4)], [true, false]);
    gone.abort();
  });

  it('are remembered for the last 64 checkpoints', async () => {
    for (const [count, known] of [
      [65, true],
      [66, false],
    ] as const) {
      const { gone, checkpoints, results, isSpent } = setUp();
      for (let last = 1; last <= count; last++) {
        results.last = last;
        await checkpoints.send();
      }
      checkpoints.acknowledged(3);
      assert.equal(isSpent(1), known, `after ${count}`);
      checkpoints.acknowledged(count + 1);
      assert.deepEqual([isSpent(count - 1), isSpent(count)], [true, false]);
      gone.abort();
    }
  });
});

describe('a token', () => {
  it('is sent to a client with up to 256 KiB of unread messages, but not with more', async () => {
    const { gone, checkpoints, connection, sent, session } = setUp();
    connection.bufferedBytes = 256 * 1024;
    await checkpoints.send();
    connection.bufferedBytes += 1;
    await checkpoints.send();
    assert.deepEqual([sent, session.counter], [['token 1'], 1]);
    assert.equal(await checkpoints.take(), 'token 2', 'one is still made on request');
    gone.abort();
  });

  it('is left out if the engine cannot report its state, and uses up no number', async () => {
    const { gone, checkpoints, fail, sent } = setUp();
    fail(new Error('the engine is being restarted'));
    await checkpoints.send();
    assert.equal(await checkpoints.take(), null);
    fail(null);
    await checkpoints.send();
    assert.deepEqual(sent, ['token 1']);
    gone.abort();
  });

  it('is not sent if the connection ended while it was made', async () => {
    const { gone, checkpoints, sent } = setUp();
    const made = checkpoints.send();
    gone.abort();
    await made;
    assert.deepEqual(sent, []);
  });

  it('that could not be made is tried again at the next interval', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const { gone, checkpoints, fail, frames, sent } = setUp();
    const later = async (): Promise<void> => {
      t.mock.timers.tick(60_000);
      await new Promise(setImmediate);
    };
    await checkpoints.send();
    await later();
    assert.deepEqual(sent, ['token 1'], 'no frame came since');
    frames.lastActivityAt = performance.now() + 1;
    fail(new Error('the engine is being restarted'));
    await later();
    fail(null);
    await later();
    assert.deepEqual(sent, ['token 1', 'token 2']);
    gone.abort();
  });
});
