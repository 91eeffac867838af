import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { encodeJpeg } from '../../src/image/encode.js';
import { version } from '../../src/package.js';
import { testImage } from '../support/engine.js';
import { Fleet, type FleetOptions } from './fleet.js';
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

  before(async () => {
    fleet = await Fleet.start({ slots, linked: true });
  });
  after(() => fleet[Symbol.asyncDispose]());
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

  it('a rolling update of all nodes: all streams go on, and no frame is lost', async () => {
    const outcome = await rollNodes(fleet, viewers);
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

/** Moves streams to a node that differs from the other one, and then back. */
async function moveToAndFro(differences: Partial<FleetOptions>): Promise<readonly [Outcome, Outcome]> {
  await using fleet = await Fleet.start({ nodes: 2, slots, ...differences });
  const viewers = await openViewers(fleet, 4, picture);
  const there = await killNode(fleet, viewers, 0);
  assert.deepEqual(there.sessions, [0, 4]);
  await fleet.nodes[0]?.start();
  await fleet.haproxy.until(([first]) => first?.state === 'UP');
  const back = await killNode(fleet, viewers, 1);
  assert.deepEqual(back.sessions, [4, 0]);
  await closeViewers(viewers);
  return [there, back];
}

describe('differences between the nodes of a fleet', { skip: haproxy.skip }, () => {
  it('another resume key: streams start over there, with the same style and seed', async () => {
    const flags = (node: number): readonly string[] =>
      node === 1 ? ['--resume-key', 'a key that no other node has'] : [];
    const [there, back] = await moveToAndFro({ flags });
    assert.deepEqual([there.ended, there.resumed, there.restarted], [0, 0, 2]);
    assert.deepEqual([back.ended, back.resumed, back.restarted], [0, 0, 4]);
    for (const { unchanged, viewers } of [there, back]) assert.equal(unchanged, viewers);
  });

  it('the next version, with one more parameter and a clock half a minute ahead: streams go on there, and from there', async () => {
    await using next = await NextVersion.make();
    const fastClock = new URL('fast-clock.js', import.meta.url);
    const [there, back] = await moveToAndFro({
      main: (node) => (node === 1 ? next.main : undefined),
      imports: (node) => (node === 1 ? fastClock : undefined),
    });
    for (const outcome of [there, back]) assertAllGoOn(outcome);
    assert.deepEqual([there.versions, back.versions], [['millrace/99.0.0'], [`millrace/${version}`]]);
  });
});

describe('a fleet whose session store dies', { skip: haproxy.skip || redis.skip }, () => {
  it('in a rolling update: all streams go on, and no frame is lost', async () => {
    await using store = await RedisProcess.start();
    const flags = (): readonly string[] => ['--session-store', store.url];
    await using fleet = await Fleet.start({ nodes: 2, slots, flags });
    const viewers = await openViewers(fleet, 4, picture);
    const outcome = await rollNodes(fleet, viewers, () => store.kill());
    assertAllGoOn(outcome);
    assert.equal(outcome.moved, viewers.length);
    assert.equal(outcome.lostFrames, 0);
    await closeViewers(viewers);
  });
});
