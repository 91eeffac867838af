import { encodeJpeg } from '../../src/image/encode.js';
import { Fleet } from '../fleet/fleet.js';
import { haproxy } from '../fleet/haproxy-process.js';
import {
  closeViewers,
  freezeNode,
  killNode,
  openViewers,
  restartHaproxy,
  rollNodes,
  silenceLink,
  type Outcome,
} from '../fleet/scenarios.js';
import { testImage } from '../support/engine.js';
import { StreamClient } from '../support/stream-client.js';
import { report } from './report.js';

/**
 * What users of a fleet see when its parts fail: `npm run bench -- fleet-faults`. Three servers with a tiny model behind
 * a real HAProxy with the configuration of ops/haproxy; all on this machine, which should have nothing else to do.
 */
const picture = await encodeJpeg(testImage(0, { width: 64, height: 64 }), 90);
const slots = 10;
const users = 12;
const arrivals = 1000;

/** Prints what the users saw of a fault. */
function note(what: string, outcome: Outcome, goalMs?: number): void {
  const { viewers, moved, resumed, restarted, ended, lostFrames, unchanged } = outcome;
  report(`fleet-faults: ${what}`, [
    { what: 'streams that moved', value: moved, unit: `of ${viewers}` },
    {
      what: 'moves that went on with the stream',
      value: resumed,
      unit: `of ${resumed + restarted}`,
      goal: 'all',
    },
    { what: 'streams that ended', value: ended, unit: '', goal: '0' },
    { what: 'users with their style and seed', value: unchanged, unit: `of ${viewers}`, goal: 'all' },
    { what: 'frames lost', value: lostFrames, unit: '', goal: 'only those under way on a dead server' },
    {
      what: 'longest gap',
      value: outcome.longestGapMs,
      unit: 'ms',
      ...(goalMs !== undefined && { goal: `under ${goalMs} ms` }),
    },
    { what: 'longest gap of streams that did not move', value: outcome.longestGapOfOthersMs, unit: 'ms' },
  ]);
}

/** Runs one fault on a fleet of its own. */
async function withUsers(
  what: string,
  goalMs: number | undefined,
  fault: (fleet: Fleet, viewers: Awaited<ReturnType<typeof openViewers>>) => Promise<Outcome>,
): Promise<void> {
  await using fleet = await Fleet.start({ slots, patient: false, linked: true });
  const viewers = await openViewers(fleet, users, picture, 100);
  note(what, await fault(fleet, viewers), goalMs);
  fleet.link.heal();
  await closeViewers(viewers);
}

/** Lets streams arrive in groups that fit, and counts those that were refused or reached a full server. */
async function arrive(): Promise<void> {
  await using fleet = await Fleet.start({ slots, patient: false });
  let refused = 0;
  let uneven = 0;
  for (let arrived = 0; arrived < arrivals;) {
    const group = 3 * slots - (arrived % 7);
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
  report('fleet-faults: arrivals in groups', [
    {
      what: 'streams that were refused although a server had room',
      value: refused,
      unit: `of ${arrivals}`,
      goal: '0',
    },
    { what: 'largest difference of sessions between servers', value: uneven, unit: '', goal: 'at most 1' },
  ]);
}

/** Lets many clients come back at the same time. */
async function stampede(count: number): Promise<void> {
  await using fleet = await Fleet.start({ slots: Math.ceil((count * 1.1) / 3), patient: false });
  const viewers = await openViewers(fleet, count, picture, 2000);
  note(`${count} clients come back at once`, await restartHaproxy(fleet, viewers));
  await closeViewers(viewers);
}

if (haproxy.skip === false) {
  await arrive();
  await withUsers('kill -9 of a server', 1500, killNode);
  await withUsers('a server hangs (SIGSTOP)', undefined, freezeNode);
  await withUsers('a silent link', undefined, silenceLink);
  await withUsers('restart of HAProxy', undefined, restartHaproxy);
  await withUsers('rolling update of three servers', 1000, async (fleet, viewers) => {
    const start = performance.now();
    const outcome = await rollNodes(fleet, viewers);
    const value = (performance.now() - start) / 1000;
    report('fleet-faults: time of the rolling update', [{ what: 'three servers', value, unit: 's' }]);
    return outcome;
  });
  await stampede(200);
} else {
  console.log(`fleet-faults: ${haproxy.skip}`);
}
