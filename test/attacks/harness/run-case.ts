import { startServerIn } from '../../support/server-process.js';
import type { AttackCase, BystanderPlan } from '../attack.js';
import { aimAt, Attackers } from './attackers.js';
import { Bystander } from './bystander.js';
import { createKeys } from './keys.js';
import { observe, type CaseReport } from './observe.js';

/** Default settings, except for a much lower SLO, so that the sessions of all attackers get a slot on slow machines. */
const flags = [
  '--slo-fps',
  '0.2',
  '--slo-latency-seconds',
  '0',
  '--cache-directory',
  '',
  '--drain-seconds',
  '0',
];
const usual: BystanderPlan = { parameters: { width: 256, height: 256 }, greedy: false };

/** Starts a server and attacks it for `seconds`. */
export async function runCase(attackCase: AttackCase, seconds: number): Promise<CaseReport> {
  const { openFiles, keyLimits, parts, bystander: plan = usual } = attackCase;
  await using keys = await createKeys(keyLimits);
  await using server = await startServerIn(
    { openFiles, imports: new URL('lag-probe.js', import.meta.url), metricsToken: keys.bystander },
    ...flags,
    ...keys.flags,
  );
  const aim = await aimAt(server, keys.attackers);
  await using attackers = await Attackers.start(
    aim,
    parts.map((part) => [part]),
  );
  await using bystander = await Bystander.start({
    url: server.url,
    parameters: plan.parameters,
    token: keys.bystander,
  });
  return await observe({ attackCase, plan, seconds, server, attackers, bystander });
}
