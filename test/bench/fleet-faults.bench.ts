import { encodeJpeg } from '../../src/image/encode.js';
import { Fleet, type FleetOptions } from '../fleet/fleet.js';
import { haproxy } from '../fleet/haproxy-process.js';
import { NextVersion } from '../fleet/next-version.js';
import { redis, RedisProcess } from '../fleet/redis-process.js';
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
  watchFor,
  type Outcome,
} from '../fleet/scenarios.js';
import type { Viewer } from '../fleet/viewer.js';
import { testImage } from '../support/engine.js';
import { StreamClient } from '../support/stream-client.js';
import { FaultTable } from './fleet/fault-table.js';
import { report } from './report.js';

/**
 * What users of a fleet see when its parts fail: `npm run bench -- fleet-faults`. Three servers with a tiny model behind
 * a real HAProxy with the configuration of ops/haproxy; all on this machine, which should have nothing else to do. It
 * takes about five minutes, and ends with a table for ops/docs/fleet.md.
 */
const picture = await encodeJpeg(testImage(0, { width: 64, height: 64 }), 90);
const users = 12;
/** Of each server: one alone has room for all users. */
const slots = users;
const arrivals = 1000;
/** The check interval of ops/haproxy and a second. */
const killGoalMs = 1500;
/** Three checks of ops/haproxy without an answer, 1.5 s each, and a second. */
const silenceGoalMs = 5500;
const table = new FaultTable();

interface Fault {
  readonly what: string;
  readonly goalMs?: number;
  /** Of each camera. */
  readonly intervalMs?: number;
  readonly options?: Partial<FleetOptions>;
  readonly happen: (fleet: Fleet, viewers: readonly Viewer[]) => Promise<Outcome>;
}

/** Lets faults happen, each to a fleet of its own. */
async function inject(faults: readonly Fault[]): Promise<void> {
  for (const { what, goalMs, intervalMs = 100, options, happen } of faults) {
    await using fleet = await Fleet.start({ slots, patient: false, linked: true, ...options });
    const viewers = await openViewers(fleet, users, picture, intervalMs);
    table.add(what, await happen(fleet, viewers), goalMs);
    fleet.link.heal();
    await closeViewers(viewers);
  }
}

/** In updates, servers start on the machine that serves the streams: at full rate, these would get too little of it. */
const updateIntervalMs = 250;

/** Moves streams to the second server, which differs from the others, and from there. */
const throughSecond = async (fleet: Fleet, viewers: readonly Viewer[]): Promise<Outcome> => {
  await killNode(fleet, viewers, 0);
  return killNode(fleet, viewers, 1);
};

/** Updates all servers, and reports how long that takes. */
async function roll(fleet: Fleet, viewers: readonly Viewer[]): Promise<Outcome> {
  const start = performance.now();
  const outcome = await rollNodes(fleet, viewers);
  const value = (performance.now() - start) / 1000;
  report('fleet-faults: time of the rolling update', [{ what: 'three servers', value, unit: 's' }]);
  return outcome;
}

/** Lets streams arrive in groups that fit, and counts those that were refused or reached a full server. */
async function arrive(): Promise<void> {
  await using fleet = await Fleet.start({ slots, patient: false });
  let refused = 0;
  let uneven = 0;
  for (let arrived = 0; arrived < arrivals;) {
    const group = Math.min(3 * slots - (arrived % 7), arrivals - arrived);
    const opening = Array.from({ length: group }, () =>
      StreamClient.open(fleet.streamUrl, { width: 64, height: 64 }),
    );
    const outcomes = await Promise.allSettled(opening);
    const clients = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    refused += group - clients.length;
    arrived += group;
    const sessions = await fleet.sessions();
    uneven = Math.max(uneven, Math.max(...sessions) - Math.min(...sessions));
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
    await fleet.haproxy.idle();
  }
  const atFull = await Promise.all(fleet.nodes.map((node) => node.refusals()));
  const unit = `of ${arrivals}`;
  report('fleet-faults: arrivals in groups, while there is room', [
    { what: 'newcomers at a full server', value: atFull.reduce((sum, own) => sum + own), unit, goal: '0' },
    { what: 'streams that were refused', value: refused, unit, goal: '0' },
    { what: 'largest difference of sessions between servers', value: uneven, unit: '', goal: 'at most 1' },
  ]);
}

/** Fills the fleet, and frees a slot once a newcomer was refused. */
async function fillUp(): Promise<void> {
  await using fleet = await Fleet.start({ slots, patient: false });
  const [leaving, ...others] = await openViewers(fleet, 3 * slots, picture, 500);
  await fleet.haproxy.full();
  let freedAt = 0;
  const newcomer = await openPatiently(fleet, () => {
    freedAt = performance.now();
    void leaving?.[Symbol.asyncDispose]();
  });
  const value = performance.now() - freedAt;
  report('fleet-faults: all full, then a slot is freed', [
    { what: 'until the newcomer has it (retry-after: 2 s)', value, unit: 'ms' },
  ]);
  await closeViewers([...others, newcomer]);
}

/** Lets many clients come back at the same time. */
async function stampede(count: number): Promise<void> {
  await using fleet = await Fleet.start({ slots: Math.ceil((count * 1.1) / 3), patient: false });
  const viewers = await openViewers(fleet, count, picture, 2000);
  table.add(
    `restart of HAProxy: ${count} clients come back at once, each with a frame every 2 s`,
    await restartHaproxy(fleet, viewers),
  );
  await closeViewers(viewers);
}

async function killStoreInUpdate(): Promise<void> {
  await using store = await RedisProcess.start();
  await inject([
    {
      what: 'rolling update, and the session store dies in it',
      goalMs: 1000,
      intervalMs: updateIntervalMs,
      options: { flags: () => ['--session-store', store.url] },
      happen: (fleet, viewers) => rollNodes(fleet, viewers, () => store.kill()),
    },
  ]);
}

if (haproxy.skip === false) {
  await using next = await NextVersion.make();
  const fastClock = new URL('../fleet/fast-clock.js', import.meta.url);
  await arrive();
  await fillUp();
  await inject([
    { what: 'none, for comparison', happen: (fleet, viewers) => watchFor(3000, fleet, viewers) },
    { what: 'kill -9 of a server', goalMs: killGoalMs, happen: killNode },
    {
      what: 'kill -9 of two of the three servers at once',
      goalMs: killGoalMs,
      happen: (fleet, viewers) => killNodes(fleet, viewers, [1, 2]),
    },
    { what: 'a server hangs (SIGSTOP)', goalMs: silenceGoalMs, happen: freezeNode },
    { what: 'a silent link', goalMs: silenceGoalMs, happen: silenceLink },
    {
      what: 'a link that loses what a server sends',
      goalMs: silenceGoalMs,
      happen: (fleet, viewers) => silenceLink(fleet, viewers, ['from']),
    },
    {
      what: 'a link that loses what is sent to a server',
      goalMs: silenceGoalMs,
      happen: (fleet, viewers) => silenceLink(fleet, viewers, ['to']),
    },
    {
      what: 'a slow link (100 ms each way)',
      happen: (fleet, viewers) => slowLink(fleet, viewers, { delayMs: 100, forMs: 3000 }),
    },
    {
      what: 'kill -9 of servers; one has another resume key',
      goalMs: killGoalMs,
      options: { flags: (node) => (node === 1 ? ['--resume-key', 'a key that no other server has'] : []) },
      happen: throughSecond,
    },
    {
      what: 'kill -9 of servers; the clock of one is 30 s ahead',
      goalMs: killGoalMs,
      options: { imports: (node) => (node === 1 ? fastClock : undefined) },
      happen: throughSecond,
    },
    {
      what: 'kill -9 of servers; one is of the next version',
      goalMs: killGoalMs,
      options: { main: (node) => (node === 1 ? next.main : undefined) },
      happen: throughSecond,
    },
    { what: 'restart of HAProxy', happen: restartHaproxy },
    { what: 'rolling update of three servers', goalMs: 1000, intervalMs: updateIntervalMs, happen: roll },
  ]);
  if (redis.skip === false) await killStoreInUpdate();
  await stampede(200);
  table.print();
} else {
  console.log(`fleet-faults: ${haproxy.skip}`);
}
