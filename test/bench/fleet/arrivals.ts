import type { Random } from '../../support/random.js';

const minutes = 24 * 60;
const crowdMinutes = 10;
/** Share of all sessions that come in a flash crowd. */
const crowdShare = 0.1;

/** Shapes of arrivals: how many sessions come in each of equal parts of the time, in any unit. */
export const arrivalShapes: Readonly<Record<'poisson' | 'crowd' | 'day', readonly number[]>> = {
  /** The same all the time. */
  poisson: [1],
  /** The same all the time, and in ten minutes at noon many more. */
  crowd: Array.from({ length: minutes }, (_, minute) => {
    const inCrowd = minute >= minutes / 2 && minute < minutes / 2 + crowdMinutes;
    return (1 - crowdShare) / minutes + (inCrowd ? crowdShare / crowdMinutes : 0);
  }),
  /** Few at night, and nine times as many in the evening. */
  day: Array.from({ length: minutes }, (_, minute) => 1 - 0.8 * Math.cos((2 * Math.PI * minute) / minutes)),
};

/**
 * Returns the times of so many arrivals, ascending: within each part, sessions come independently of each other (a
 * Poisson process, given how many come in total).
 * @throws {RangeError} if the shape is invalid.
 */
export function arrivalTimes(
  shape: readonly number[],
  { sessions, seconds }: { readonly sessions: number; readonly seconds: number },
  random: Random,
): Float64Array {
  const total = shape.reduce((sum, part) => sum + part, 0);
  const isValid = shape.every((part) => part >= 0) && total > 0 && Number.isFinite(total);
  if (!isValid) throw new RangeError('arrivals must be numbers of at least 0, and not all 0');
  // Spaces between sorted uniform numbers are exponential numbers over their sum.
  const times = new Float64Array(sessions);
  let sum = 0;
  for (let i = 0; i < sessions; i++) times[i] = sum += random.exponential(1);
  sum += random.exponential(1);
  let part = 0;
  let before = 0;
  for (let i = 0; i < sessions; i++) {
    const position = ((times[i] ?? 0) / sum) * total;
    while (part < shape.length - 1 && position > before + (shape[part] ?? 0)) before += shape[part++] ?? 0;
    const within = Math.min(1, (position - before) / (shape[part] ?? 1));
    times[i] = ((part + within) / shape.length) * seconds;
  }
  return times;
}
