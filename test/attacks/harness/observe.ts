import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerProcess } from '../../support/server-process.js';
import type { AttackCase, BystanderPlan, Tally } from '../attack.js';
import type { Attackers } from './attackers.js';
import type { Bystander } from './bystander.js';
import { judge, type Lag, type Observed, type Stretch, type Verdict } from './judge.js';
import { countedBetween, processorLeft } from './vitals.js';
import { watch, type Watched } from './watch.js';

/** All participants of a case. */
export interface Scene {
  readonly attackCase: AttackCase;
  readonly plan: BystanderPlan;
  readonly seconds: number;
  readonly server: ServerProcess;
  readonly attackers: Attackers;
  readonly bystander: Bystander;
}

/** The outcome of a case. */
export interface CaseReport extends Observed, Verdict {
  readonly name: string;
  readonly what: string;
  /** The same bystander at the same pace before the attack. */
  readonly quiet: Verdict & Stretch;
  /** Errors and close codes that the server counted during the attack. */
  readonly counts: Readonly<Record<string, number>>;
  /** Outcomes counted by the attackers. */
  readonly tally: Tally;
  /** Events of the bystander during the attack, other than results. */
  readonly told: Tally;
}

/** Frames a second that a bystander asks for, if it gets at least twice as many alone. */
const wanted = 5;
/** Seconds of the bystander alone, at full speed and again at its pace. */
const quietSeconds = 4;
/** Milliseconds until the results reflect a new pace. */
const settling = 1000;
/** Codes that no client may be able to cause. */
const faults = ['internal', 'engine_failed', 'engine_restarting', 'close 1011'];

/** Watches the bystander alone, then under attack. */
export async function observe(scene: Scene): Promise<CaseReport> {
  const { attackCase, plan, seconds, attackers, bystander } = scene;
  const { greedy, most = Infinity } = plan;
  const { name, what, streams, doorMayShut = false, check = () => [] } = attackCase;

  bystander.pace(null);
  await sleep(settling);
  const flat = await watch(scene, quietSeconds);
  const alone = flat.stretch.results / flat.stretch.seconds;
  const asked = greedy ? null : Math.min(wanted, alone / 2);
  if (asked !== null) bystander.pace(asked);
  await sleep(settling);
  const calm = await watch(scene, quietSeconds);

  const seen = bystander.events.length;
  const attack = await watch(scene, seconds, attackers);
  const { before, after, tally, problem, answered } = attack;
  const memory = { quiet: before.peakBytes, peak: after?.peakBytes ?? before.peakBytes };
  const common = { asked, alone, most };
  const lag = { quiet: calm.after?.lag ?? none, attacked: after?.lag ?? none };
  const observed: Observed = {
    ...common,
    left: leftIn(attack) / leftIn(flat),
    streams,
    attacked: attack.stretch,
    memory,
    lag,
  };
  const verdict = judge(observed);
  const counts = after ? countedBetween(before, after) : {};
  const wrong = faults.filter((code) => code in counts).map((code) => `${code}: ${counts[code]}`);
  const quiet: Observed = {
    ...common,
    left: leftIn(calm) / leftIn(flat),
    streams: 0,
    attacked: calm.stretch,
    memory: { quiet: memory.quiet, peak: memory.quiet },
    lag: { quiet: none, attacked: lag.quiet },
  };
  return {
    name,
    what,
    ...observed,
    ...verdict,
    broken: [
      ...problem,
      ...verdict.broken,
      ...(answered || doorMayShut ? [] : ['a new client was not answered']),
      ...wrong,
      ...check(tally, seconds),
    ],
    quiet: { ...judge(quiet), ...calm.stretch },
    counts,
    tally,
    told: tallied(bystander.events.slice(seen).map((event) => event.what)),
  };
}

const none: Lag = { p99: 0, max: 0 };

const leftIn = ({ before, after }: Watched): number => (after ? processorLeft(before, after) : 1);

function tallied(words: readonly string[]): Tally {
  const tally: Record<string, number> = {};
  for (const word of words) if (word !== 'result') tally[word] = (tally[word] ?? 0) + 1;
  return tally;
}
