import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { encodeJpeg } from '../../src/image/encode.js';
import { version } from '../../src/package.js';
import { testImage } from '../support/engine.js';
import { Fleet } from './fleet.js';
import { haproxy } from './haproxy-process.js';
import { NextVersion } from './next-version.js';
import { redis, RedisProcess } from './redis-process.js';
import {
  closeViewers,
  freezeNode,
  killNode,
  killNodes,
  openPatiently,
  openViewers,
  restartHaproxy,
  rollNodes,
  silenceLink,
  slowLink,
  type Outcome,
} from './scenarios.js';
import type { Viewer } from './viewer.js';

const picture = await encodeJpeg(testImage(0, { width: 64, height: 64 }), 90);
const slots = 6;

/** Asserts that all go on with their stream as it was. */
function assertAllGoOn(outcome: Outcome): void {
  assert.equal(outcome.ended, 0);
  assert.equal(outcome.restarted, 0, 'no stream starts over');
  assert.equal(outcome.unchanged, outcome.viewers, 'styles and seeds stay');
}

/** Asserts that only frames that were under way are lost: per move, those that a client may send without an answer. */
function assertFewLost({ lostFrames, underWay, resumed }: Outcome): void {
  const most = underWay + 2 * resumed;
  assert.ok(lostFrames <= most, `${lostFrames} frames lost, at most ${most} were under way`);
}

const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

describe('faults of a fleet', { skip: haproxy.skip }, () => {
  let fleet: Fleet;
  let viewers: readonly Viewer[] = [];
  /** Null where there is no Redis: all holds without it too. */
  let store: RedisProcess | null = null;

  before(async () => {
    store = redis.skip === false ? await RedisProcess.start() : null;
    const flags = store ? ['--session-store', store.url] : [];
    fleet = await Fleet.start({ slots, linked: true, flags: () => flags });
  });
  after(async () => {
    await fleet[Symbol.asyncDispose]();
    await store?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await fleet.haproxy.idle();
    viewers = await openViewers(fleet, 6, picture);
    assert.deepEqual(await fleet.sessions(), [2, 2, 2]);
  });
  afterEach(() => closeViewers(viewers));

  it('a restart of HAProxy: all come back at once, although the fleet is nearly full', async () => {
    viewers = [...viewers, ...(await openViewers(fleet, 3 * slots - 1 - viewers.length, picture))];
    const outcome = await restartHaproxy(fleet, viewers);
    assertAllGoOn(outcome);
    assert.equal(outcome.moved, viewers.length);
    assert.equal(total(outcome.sessions), viewers.length);
    assert.ok(Math.max(...outcome.sessions) <= slots);
  });

  it('all full: a newcomer is told when to come back, and gets the slot that is freed', async () => {
    const others = await openViewers(fleet, 3 * slots - viewers.length, picture);
    await fleet.haproxy.full();
    let refusals = 0;
    const newcomer = await openPatiently(fleet, () => {
      refusals += 1;
      void others[0]?.[Symbol.asyncDispose]();
    });
    assert.equal(refusals, 1);
    assert.deepEqual(await fleet.sessions(), [slots, slots, slots]);
    await closeViewers([...others, newcomer]);
  });

  it('a node that hangs (SIGSTOP): its streams go on elsewhere; when it goes on, it has no session', async () => {
    const outcome = await freezeNode(fleet, viewers);
    fleet.nodes[0]?.signal('SIGCONT');
    assertAllGoOn(outcome);
    assert.equal(outcome.moved, 2);
    await fleet.untilTotal(viewers.length);
    assert.deepEqual(await fleet.sessions(), [0, 3, 3]);
  });

  it('a silent link to a node: its streams go on elsewhere', async () => {
    const outcome = await silenceLink(fleet, viewers);
    fleet.link.heal();
    assertAllGoOn(outcome);
    assert.equal(outcome.moved, 2);
    await fleet.untilTotal(viewers.length);
    assert.deepEqual(await fleet.sessions(), [0, 3, 3]);
  });

  it('a slow link to a node: its streams stay there, and lose no frame', async () => {
    const outcome = await slowLink(fleet, viewers, { delayMs: 100, forMs: 2500 });
    assertAllGoOn(outcome);
    assert.equal(outcome.moved, 0);
    assert.equal(outcome.lostFrames, 0);
    assert.deepEqual(outcome.sessions, [2, 2, 2]);
  });

  it('a rolling update of all nodes, in which the session store dies: all streams go on, and no frame is lost', async () => {
    const outcome = await rollNodes(fleet, viewers, () => store?.kill());
    assertAllGoOn(outcome);
    assert.equal(outcome.moved, viewers.length);
    assert.equal(outcome.lostFrames, 0);
    assert.equal(outcome.shownAgain, 0, 'results come once, and in their order');
    assert.equal(total(outcome.sessions), viewers.length);
  });

  it('kill -9 of a node: its streams go on elsewhere, the others notice nothing', async () => {
    const outcome = await killNode(fleet, viewers);
    assertAllGoOn(outcome);
    assert.equal(outcome.moved, 2);
    assert.deepEqual(outcome.sessions, [0, 3, 3]);
    assertFewLost(outcome);
    await fleet.nodes[0]?.start();
  });

  it('kill -9 of two nodes at once: HAProxy sends their streams to the third, and not from one to the other', async () => {
    const outcome = await killNodes(fleet, viewers, [1, 2]);
    assertAllGoOn(outcome);
    assert.equal(outcome.moved, 4);
    assert.deepEqual(outcome.sessions, [6, 0, 0]);
    assertFewLost(outcome);
  });
});

describe('a fleet whose nodes differ', { skip: haproxy.skip }, () => {
  it('moves streams to the next version and back, and starts over those that meet another resume key', async () => {
    await using next = await NextVersion.make();
    // The second has one more parameter, and a clock half a minute ahead.
    const fastClock = new URL('fast-clock.js', import.meta.url);
    await using fleet = await Fleet.start({
      slots,
      main: (node) => (node === 1 ? next.main : undefined),
      imports: (node) => (node === 1 ? fastClock : undefined),
      flags: (node) => (node === 2 ? ['--resume-key', 'a key that no other node has'] : []),
    });
    const viewers = await openViewers(fleet, 6, picture);
    /** Kills a node, and asserts that as many streams go on, and as many start over. */
    const kill = async (node: number, goOn: number, startOver: number): Promise<Outcome> => {
      const outcome = await killNode(fleet, viewers, node);
      assert.deepEqual([outcome.ended, outcome.unchanged], [0, viewers.length]);
      assert.deepEqual([outcome.resumed, outcome.restarted], [goOn, startOver]);
      return outcome;
    };
    const start = async (node: number): Promise<void> => {
      await fleet.nodes[node]?.start();
      await fleet.haproxy.until((servers) => servers[node]?.state === 'UP');
    };
    const [onFirst = 0] = (await kill(2, 0, 2)).sessions;
    assert.deepEqual((await kill(0, onFirst, 0)).versions, ['millrace/99.0.0']);
    await start(0);
    assert.deepEqual((await kill(1, 6, 0)).versions, [`millrace/${version}`]);
    await start(2);
    await kill(0, 0, 6);
    await closeViewers(viewers);
  });
});
