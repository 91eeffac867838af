import type { CurveName, History } from '@millrace/protocol';

/** Returns the history with newer samples added, and without samples before `oldest`. */
export function extended(history: History, newer: History, oldest: number): History {
  const skipped = history.times.filter((time) => time < oldest).length;
  const names = new Set(Object.keys({ ...history.series, ...newer.series }) as CurveName[]);
  const gap = (length: number): readonly null[] => Array.from({ length }, () => null);
  const series = [...names].map((name) => {
    const before = history.series[name] ?? gap(history.times.length);
    const after = newer.series[name] ?? gap(newer.times.length);
    return [name, [...before.slice(skipped), ...after]] as const;
  });
  return {
    times: [...history.times.slice(skipped), ...newer.times],
    series: Object.fromEntries(series),
  };
}

/** Returns the newest value of a curve, which covers the window by itself; null if there is none. */
export function latest(history: History, name: CurveName): number | null {
  return history.series[name]?.at(-1) ?? null;
}

/** Returns the mean of the values of the last seconds; null if there are none. */
export function meanOver(seconds: number, { times, series }: History, name: CurveName): number | null {
  const since = (times.at(-1) ?? 0) - seconds * 1000;
  const values = (series[name] ?? []).filter((value, i) => value !== null && (times[i] ?? 0) > since);
  if (values.length === 0) return null;
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0) / values.length;
}
