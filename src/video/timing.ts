/** An exact fraction, above 0. */
export interface Rational {
  readonly numerator: number;
  readonly denominator: number;
}

/** When the frames of a video are shown. */
export interface Timing {
  /** Seconds per tick; the frames' times are in ticks. */
  readonly timebase: Rational;
  /** Frames per second; null if it varies. */
  readonly rate: Rational | null;
}

/** The last frame of a video: its number from 0, when it is shown and for how long, in ticks. */
export interface LastFrame {
  readonly index: number;
  readonly time: number;
  readonly duration: number;
}

/** Returns the timebase in which each frame lasts one tick. */
export function timebaseOf(rate: Rational): Rational {
  return { numerator: rate.denominator, denominator: rate.numerator };
}

/** Returns how long a frame is shown at a rate, in ticks. */
export function periodOf(rate: Rational, timebase: Rational): number {
  return (rate.denominator * timebase.denominator) / (rate.numerator * timebase.numerator);
}

/** Returns the seconds that ticks take. */
export function secondsOf(ticks: number, timebase: Rational): number {
  return (ticks * timebase.numerator) / timebase.denominator;
}

/** Rates to assume if a container's ticks are too coarse for them (ISO/IEC 23091-2 and common practice). */
const usualRates: readonly Rational[] = [
  ...[24_000, 30_000, 48_000, 60_000, 120_000].map((numerator) => ({ numerator, denominator: 1001 })),
  ...Array.from({ length: 240 }, (_, index) => ({ numerator: index + 1, denominator: 1 })),
];

/**
 * Returns the constant rate of frames shown at these times; null if there is none.
 * @param times ticks of `timebase`, ascending.
 * @param last how long the last frame is shown, in ticks; null if unknown.
 */
export function constantRate(
  times: readonly number[],
  timebase: Rational,
  last: number | null = null,
): Rational | null {
  const [first = 0] = times;
  const ticks = times.length === 1 ? (last ?? 0) : ((times.at(-1) ?? 0) - first) / (times.length - 1);
  if (!(ticks > 0)) return null;
  // Cameras are imprecise about the end of the last frame; one that is held on purpose lasts much longer.
  if (last !== null && last > ticks * 1.5) return null;
  const exact = reduce(timebase.denominator, timebase.numerator * ticks);
  const isEven = (period: number, tolerance: number): boolean =>
    times.every((time, index) => Math.abs(time - first - index * period) <= tolerance);
  if (Number.isInteger(ticks) && isEven(ticks, 0)) return exact;
  // A container that rounds times to its ticks is off by less than one.
  return usualRates.find((rate) => isEven(periodOf(rate, timebase), 1)) ?? null;
}

function reduce(numerator: number, denominator: number): Rational {
  let [a, b] = [numerator, denominator];
  while (b !== 0) [a, b] = [b, a % b];
  return { numerator: numerator / a, denominator: denominator / a };
}

/** Reads `30000/1001` or `25`; null if it is not a fraction above 0. */
export function parseRational(text: string): Rational | null {
  const [, numerator, denominator = '1'] = /^(\d{1,9})(?:\/(\d{1,9}))?$/.exec(text.trim()) ?? [];
  const rational = { numerator: Number(numerator), denominator: Number(denominator) };
  return rational.numerator > 0 && rational.denominator > 0 ? rational : null;
}
