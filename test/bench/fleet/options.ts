import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { CostCurve, MeasuredCosts } from '../../../src/engine/costs.js';
import type { Slo } from '../../../src/session/admission/slo.js';
import { readSettings } from '../../../src/settings/settings.js';
import { arrivalShapes } from './arrivals.js';
import { nodeModel } from './node-model.js';
import { usualScenario, type Scenario } from './scenario.js';

/** Prices of an hour, in any currency. */
export interface Prices {
  readonly usual: number;
  readonly spot: number;
}

export interface PlannerOptions {
  readonly scenario: Scenario;
  readonly prices: Prices;
}

/** What `millrace doctor --json` says of costs; older versions do not name those of several pictures. */
interface DoctorReport {
  readonly unet: CostCurve;
  readonly picture_ms: number;
  readonly pictures: readonly { readonly pictures: number; readonly ms: number }[];
}

const numbers = {
  sessions: [1, 10_000_000],
  hours: [0.01, 10_000],
  'stay-minutes': [0.01, 10_000],
  'patience-seconds': [0, 1e9],
  slots: [1, 10_000],
  nodes: [1, 100_000],
  'start-minutes': [0, 10_000],
  price: [0, 1e9],
  'spot-price': [0, 1e9],
  'spot-share': [0, 1],
  'slo-fps': [0.1, 1000],
  'slo-latency-seconds': [0, 1000],
  seed: [0, 2 ** 32 - 1],
} as const;

type NumberName = keyof typeof numbers;

/** The options of the planner, without dashes. */
export const plannerFlags: readonly string[] = [...Object.keys(numbers), 'arrivals', 'costs'];

/** Reads the options of the planner. @throws {Error} that names the option and what is allowed. */
export function plannerOptions(args: readonly string[]): PlannerOptions {
  const text = { type: 'string' } as const;
  const options = Object.fromEntries(plannerFlags.map((name) => [name, text]));
  const { values } = parseArgs({ args: [...args], options });
  const given = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === 'string' ? value : undefined;
  };
  const number = (name: NumberName, otherwise: number): number => {
    const word = given(name);
    if (word === undefined) return otherwise;
    const [least, most] = numbers[name];
    const value = Number(word);
    if (word.trim() !== '' && value >= least && value <= most) return value;
    throw new Error(`--${name} ${word}: choose a number from ${least} to ${most}`);
  };
  const usual = usualScenario;
  const price = number('price', 1);
  const nodes = number('nodes', 0);
  const costs = given('costs');
  const settings = readSettings({});
  const byCosts =
    costs === undefined
      ? usual.slots
      : slotsBy(costs, {
          fps: number('slo-fps', settings.sloFps),
          latencySeconds: number('slo-latency-seconds', settings.sloLatencySeconds),
        });
  return {
    scenario: {
      ...usual,
      shape: shapeOf(given('arrivals') ?? 'day'),
      sessions: Math.round(number('sessions', usual.sessions)),
      hours: number('hours', usual.hours),
      stayMinutes: number('stay-minutes', usual.stayMinutes),
      patienceSeconds: number('patience-seconds', usual.patienceSeconds),
      slots: Math.round(number('slots', byCosts)),
      startMinutes: number('start-minutes', usual.startMinutes),
      spotShare: number('spot-share', usual.spotShare),
      seed: number('seed', usual.seed),
      ...(nodes > 0 && { scaling: { kind: 'fixed', nodes: Math.round(nodes) } }),
    },
    prices: { usual: price, spot: number('spot-price', 0.35 * price) },
  };
}

/** Returns the slots of the server that a report of `doctor` describes. */
function slotsBy(file: string, slo: Slo): number {
  const costs = doctorCosts(readFileSync(file, 'utf8'));
  if (costs === null)
    throw new Error(
      `--costs ${file}: it needs the output of \`millrace doctor --json\`, with its performance`,
    );
  return nodeModel({ ...costs, ...slo, most: 10_000 }).slots;
}

/** Reads a report of `doctor`. @returns null if it has no costs, or is no report. */
export function doctorCosts(text: string): MeasuredCosts | null {
  let read: { readonly performance?: Partial<DoctorReport> | null } | null;
  try {
    read = JSON.parse(text) as typeof read;
  } catch {
    return null;
  }
  const { performance } = read ?? {};
  const { unet, picture_ms: pictureMs, pictures = [] } = performance ?? {};
  const isPositive = (value: unknown): boolean => typeof value === 'number' && value > 0;
  if (!Array.isArray(unet) || unet.length === 0 || !isPositive(pictureMs)) return null;
  const pictureCosts = pictures.map(({ pictures: rows, ms }) => ({ rows, ms }));
  const costs = unet as CostCurve;
  if (![...costs, ...pictureCosts].every(({ rows, ms }) => isPositive(rows) && isPositive(ms))) return null;
  return { costs, pictureMs: pictureMs ?? 0, ...(pictureCosts.length > 0 && { pictureCosts }) };
}

/** @param name of a shape, or of a file with one number a line: how many sessions come in each of equal times. */
function shapeOf(name: string): readonly number[] {
  if (isShape(name)) return arrivalShapes[name];
  const lines = readFileSync(name, 'utf8').trim().split(/\s+/);
  const values = lines.map(Number);
  const wrong = values.findIndex((value) => !(value >= 0 && value < Infinity));
  if (values.every((value) => value === 0)) throw new Error(`--arrivals ${name}: no session comes`);
  if (wrong < 0) return values;
  throw new Error(`--arrivals ${name}: number ${wrong + 1} is ${lines[wrong]}; each must be at least 0`);
}

function isShape(name: string): name is keyof typeof arrivalShapes {
  return Object.hasOwn(arrivalShapes, name);
}
