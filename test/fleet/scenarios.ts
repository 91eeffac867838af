import { MillraceError } from '@millrace/client';
import { setTimeout as pause } from 'node:timers/promises';
import type { Fleet } from './fleet.js';
import { bothWays } from './link.js';
import { Viewer } from './viewer.js';

/** What the users of a fleet saw of a fault. */
export interface Outcome {
  readonly viewers: number;
  /** Users whose stream moved to another connection. */
  readonly moved: number;
  /** Streams that another server went on with; the other moves started over. */
  readonly resumed: number;
  readonly restarted: number;
  /** Streams that ended. */
  readonly ended: number;
  readonly lostFrames: number;
  /** Results that were shown after the one of a later frame, or twice. */
  readonly shownAgain: number;
  /** Frames under way when the fault came; each client may send as many more as it has credits. */
  readonly underWay: number;
  /** Longest time that one of them got no result, in milliseconds. */
  readonly longestGapMs: number;
  /** The same within which a stream moved; 0 if none did. */
  readonly longestMoveMs: number;
  /** The same among those whose stream did not move. */
  readonly longestGapOfOthersMs: number;
  /** Users with the style and the seed that they chose. */
  readonly unchanged: number;
  /** Time from the fault until the last stream had moved, in milliseconds; 0 if none moved. */
  readonly movedWithinMs: number;
  /** Name and version of the servers that the users have at the end. */
  readonly versions: readonly string[];
  /** Sessions on each node at the end. */
  readonly sessions: readonly number[];
}

/** Users who come at the same time. */
const groupSize = 12;

/** Opens streams whose cameras run, group by group, and waits until each has a result. */
export async function openViewers(
  fleet: Fleet,
  count: number,
  picture: Uint8Array,
  intervalMs?: number,
): Promise<readonly Viewer[]> {
  const viewers: Viewer[] = [];
  const open = (_: unknown, i: number): Promise<Viewer> =>
    Viewer.open(fleet.url, 1000 + viewers.length + i, picture, intervalMs);
  while (viewers.length < count) {
    const length = Math.min(groupSize, count - viewers.length);
    viewers.push(...(await Promise.all(Array.from({ length }, open))));
  }
  await Promise.all(viewers.map((viewer) => viewer.fresh()));
  return viewers;
}

export async function closeViewers(viewers: readonly Viewer[]): Promise<void> {
  await Promise.all(viewers.map((viewer) => viewer[Symbol.asyncDispose]()));
}

/** Lets something happen to a fleet with users, and waits until all have results again. */
async function watch(
  fleet: Fleet,
  viewers: readonly Viewer[],
  fault: () => Promise<void> | void,
): Promise<Outcome> {
  for (const viewer of viewers) viewer.forget();
  const underWay = viewers.reduce((total, viewer) => total + viewer.underWay, 0);
  const begun = performance.now();
  await fault();
  await Promise.all(viewers.map((viewer) => viewer.fresh().catch(() => {})));
  const sum = (of: (viewer: Viewer) => number): number =>
    viewers.reduce((total, viewer) => total + of(viewer), 0);
  const gap = (some: readonly Viewer[]): number =>
    Math.max(0, ...some.map(({ longestGapMs }) => longestGapMs));
  return {
    viewers: viewers.length,
    moved: sum(({ moves }) => Number(moves > 0)),
    resumed: sum(({ resumed }) => resumed),
    restarted: sum(({ restarted }) => restarted),
    ended: sum(({ ended }) => Number(ended !== undefined)),
    lostFrames: sum(({ lost }) => lost),
    shownAgain: sum(({ shownAgain }) => shownAgain),
    underWay,
    longestGapMs: gap(viewers),
    longestMoveMs: Math.max(0, ...viewers.map(({ longestMoveMs }) => longestMoveMs)),
    longestGapOfOthersMs: gap(viewers.filter(({ moves }) => moves === 0)),
    unchanged: sum(({ unchanged }) => Number(unchanged)),
    movedWithinMs: Math.max(begun, ...viewers.map(({ movedAt }) => movedAt)) - begun,
    versions: [...new Set(viewers.map(({ stream }) => stream.server))],
    sessions: await fleet.sessions(),
  };
}

/** Breaks nodes in some way, and waits until their streams have moved. */
async function loseNodes(
  fleet: Fleet,
  viewers: readonly Viewer[],
  nodes: readonly number[],
  fault: () => void,
): Promise<Outcome> {
  const sessions = await fleet.sessions();
  const affected = nodes.reduce((sum, node) => sum + (sessions[node] ?? 0), 0);
  return watch(fleet, viewers, async () => {
    fault();
    await moves(viewers, affected);
  });
}

/** Kills a node as the kernel or a power cut would. */
export async function killNode(fleet: Fleet, viewers: readonly Viewer[], node = 0): Promise<Outcome> {
  return killNodes(fleet, viewers, [node]);
}

/** Kills several nodes at once, as the failure of a switch or a zone would. */
export async function killNodes(
  fleet: Fleet,
  viewers: readonly Viewer[],
  nodes: readonly number[],
): Promise<Outcome> {
  return loseNodes(fleet, viewers, nodes, () => {
    for (const node of nodes) fleet.nodes[node]?.signal('SIGKILL');
  });
}

/** Stops a node's process without ending it: its connections stay open, and nothing answers. */
export async function freezeNode(fleet: Fleet, viewers: readonly Viewer[], node = 0): Promise<Outcome> {
  return loseNodes(fleet, viewers, [node], () => fleet.nodes[node]?.signal('SIGSTOP'));
}

/** Pulls the cable between HAProxy and the first node, or one of its wires. */
export async function silenceLink(
  fleet: Fleet,
  viewers: readonly Viewer[],
  directions = bothWays,
): Promise<Outcome> {
  return loseNodes(fleet, viewers, [0], () => fleet.link.fallSilent(directions));
}

/** Lets nothing happen for a while, to compare. */
export async function watchFor(ms: number, fleet: Fleet, viewers: readonly Viewer[]): Promise<Outcome> {
  return watch(fleet, viewers, () => pause(ms));
}

/** Makes the link to the first node slow for a while: its streams stay, with older frames. */
export async function slowLink(
  fleet: Fleet,
  viewers: readonly Viewer[],
  { delayMs, forMs }: { readonly delayMs: number; readonly forMs: number },
): Promise<Outcome> {
  return watch(fleet, viewers, async () => {
    fleet.link.delay(delayMs);
    await pause(forMs);
    fleet.link.delay(0);
  });
}

/**
 * Stops one node after the other, as an update does, and starts it again.
 * @param between is called when the first node is back.
 */
export async function rollNodes(
  fleet: Fleet,
  viewers: readonly Viewer[],
  between: () => Promise<void> | void = () => {},
): Promise<Outcome> {
  return watch(fleet, viewers, async () => {
    for (const [i, node] of fleet.nodes.entries()) {
      if (i === 1) await between();
      await node.stop();
      await node.start();
      // An orchestrator waits for readiness.
      await fleet.haproxy.until((servers) => servers[i]?.state === 'UP');
    }
  });
}

/** Kills HAProxy, and starts it again: all clients come back at once. */
export async function restartHaproxy(fleet: Fleet, viewers: readonly Viewer[]): Promise<Outcome> {
  return watch(fleet, viewers, async () => {
    await fleet.haproxy.kill();
    await fleet.haproxy.start();
    await moves(viewers, viewers.length);
  });
}

/**
 * Opens a stream on a full fleet as an application would: if it is refused, again after the time that HAProxy names.
 * @param refused is called after the first refusal.
 */
export async function openPatiently(fleet: Fleet, refused: () => void): Promise<Viewer> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await Viewer.open(fleet.url, 1);
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'too_many_sessions') throw error;
      if (attempt === 0) refused();
      await pause((error.retryAfter ?? 1) * 1000);
    }
  }
}

/** Waits until as many streams have moved or ended. */
async function moves(viewers: readonly Viewer[], count: number): Promise<void> {
  const done = (): number => viewers.filter(({ moves: own, ended }) => own > 0 || ended !== undefined).length;
  while (done() < count) await pause(20);
}
