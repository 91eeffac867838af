import { oneLine } from '../../src/engine/as-error.js';
import { arrivalShapes } from './fleet/arrivals.js';
import { plannerOptions, type PlannerOptions, type Prices } from './fleet/options.js';
import { placementRules } from './fleet/placement.js';
import type { Scaling, Scenario } from './fleet/scenario.js';
import { simulate } from './fleet/simulation.js';
import type { FleetResult } from './fleet/tally.js';
import { report, type Figure } from './report.js';

/**
 * How many nodes a fleet needs, what users wait and what it costs: `npm run bench -- fleet [--OPTION VALUE...]`. A
 * simulation, the same for the same seed; ops/docs/fleet.md describes the options.
 */
const { scenario, prices } = readOptions();

/** Ends the process if they do not fit. */
function readOptions(): PlannerOptions {
  try {
    return plannerOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`fleet: ${oneLine(error)}\n`);
    process.exit(2);
  }
}

/** Returns the figures of one run. */
function figuresOf(result: FleetResult, { usual, spot }: Prices): Figure[] {
  const { nodeHours, sessionHours } = result;
  const paid = nodeHours.usual * usual + nodeHours.spot * spot;
  return [
    { what: 'nodes, mean', value: result.meanNodes, unit: '' },
    { what: 'nodes, most', value: result.mostNodes, unit: '' },
    { what: 'waiting time p95', value: result.waitP95, unit: 's' },
    { what: 'users who gave up', value: (100 * result.gaveUp) / (result.gaveUp + result.started), unit: '%' },
    { what: 'utilisation', value: 100 * result.utilisation, unit: '%' },
    { what: 'cost of a session-hour', value: paid / sessionHours, unit: '' },
    { what: 'moves of a session', value: result.moves / Math.max(1, result.started), unit: '' },
    { what: 'longest time without a node', value: result.longestCut, unit: 's' },
    { what: 'difference between nodes, mean', value: result.unevenness, unit: 'sessions' },
  ];
}

function show(what: string, changes: Partial<Scenario> = {}): void {
  report(`fleet: ${what}`, figuresOf(simulate({ ...scenario, ...changes }), prices));
}

show('as given');
if (process.argv.length <= 2) {
  const { scaling } = scenario;
  const withScaling = (changes: Partial<Extract<Scaling, { kind: 'keda' }>>): Partial<Scenario> =>
    scaling.kind === 'keda' ? { scaling: { ...scaling, ...changes } } : {};
  for (const [name, shape] of Object.entries(arrivalShapes)) show(`arrivals: ${name}`, { shape });
  for (const placement of placementRules) show(`placement: ${placement}`, { placement });
  for (const buffer of [0, 1, 2]) show(`buffer: ${buffer}`, withScaling({ buffer }));
  const { crowd } = arrivalShapes;
  for (const buffer of [1, 2]) {
    show(`a crowd; buffer ${buffer}`, { shape: crowd, ...withScaling({ buffer }) });
    const unseen = withScaling({ buffer, countsRefused: false });
    show(`a crowd; buffer ${buffer}, refused clients unseen`, { shape: crowd, ...unseen });
  }
  show('autoscaler without tolerance', withScaling({ tolerance: 0 }));
  show('a zone fails in the evening', { zoneFailsAtHour: 12 });
  show('half of the nodes can be taken away', { spotShare: 0.5 });
  const start = performance.now();
  for (const sessions of [1e3, 1e4, 1e5, 1e6]) show(`${sessions} sessions`, { sessions });
  const seconds = (performance.now() - start) / 1000;
  report('fleet: the planner itself', [
    { what: 'up to a million sessions', value: seconds, unit: 's', goal: 'under 60' },
  ]);
}
