/** Limits of the effect of an attack on the bystander and on the server. */
export const bounds = {
  /** Minimum that the bystander gets, relative to its share. */
  part: 0.8,
  /** Longest time between two of its results, in seconds. */
  gap: 1,
  /** The same in intervals of its share, if that is longer. */
  gapIntervals: 3,
  /** Maximum growth of memory, in bytes. */
  memory: 512 * 1024 * 1024,
  /** Event-loop lag in seconds, or `lagTimes` that of the quiet server if that is longer. */
  lagP99: 0.1,
  lagMax: 0.5,
  lagTimes: 3,
} as const;

export interface Lag {
  readonly p99: number;
  readonly max: number;
}

/** A period of time as the bystander saw it. */
export interface Stretch {
  readonly seconds: number;
  readonly results: number;
  /** Longest time without a result, in seconds. */
  readonly gap: number;
}

export interface Observed {
  /** Frames a second that the bystander sends; null for as many as it can. */
  readonly asked: number | null;
  /** Frames a second that it got alone at full speed. */
  readonly alone: number;
  /** CPU time that other programs left to the server, relative to the quiet seconds. */
  readonly left: number;
  /** Streams of the attackers. */
  readonly streams: number;
  /** The most that it may get, relative to its share. */
  readonly most: number;
  readonly attacked: Stretch;
  readonly memory: { readonly quiet: number; readonly peak: number };
  readonly lag: { readonly quiet: Lag; readonly attacked: Lag };
}

export interface Verdict {
  /** Frames a second. */
  readonly share: number;
  /** What the bystander got, relative to its share. */
  readonly part: number;
  /** The bounds that were broken, in words. */
  readonly broken: readonly string[];
}

/** Summarizes results at these times (milliseconds, rising) from `begin` to `end`. */
export function stretchOf(times: readonly number[], begin: number, end: number): Stretch {
  const within = times.filter((time) => time >= begin && time < end);
  const edges = [begin, ...within, end];
  const gaps = edges.slice(1).map((time, i) => time - (edges[i] ?? time));
  return { seconds: (end - begin) / 1000, results: within.length, gap: Math.max(...gaps) / 1000 };
}

/**
 * Returns the share of one of n streams that overload the server: 1/n of its throughput with the CPU time that it has,
 * or all that the stream asks for if that is less.
 */
export function shareOf({
  asked,
  alone,
  left,
  streams,
}: Omit<Observed, 'attacked' | 'memory' | 'lag'>): number {
  return Math.min(asked ?? Infinity, (alone * Math.min(1, left)) / (1 + streams));
}

export function judge(observed: Observed): Verdict {
  const { attacked, memory, lag, most } = observed;
  const share = shareOf(observed);
  const part = attacked.results / attacked.seconds / share;
  const longest = Math.max(bounds.gap, bounds.gapIntervals / share);
  const lags = (['p99', 'max'] as const).map((kind) => {
    const bound = Math.max(kind === 'p99' ? bounds.lagP99 : bounds.lagMax, bounds.lagTimes * lag.quiet[kind]);
    return lag.attacked[kind] > bound
      ? `event-loop lag ${kind} ${ms(lag.attacked[kind])} > ${ms(bound)}`
      : null;
  });
  const broken = [
    part < bounds.part ? `${percent(part)} of its share < ${percent(bounds.part)}` : null,
    part > most ? `${percent(part)} of its share > ${percent(most)}` : null,
    attacked.gap >= longest ? `${attacked.gap.toFixed(1)} s without a result` : null,
    memory.peak > memory.quiet + bounds.memory ? `memory grew by ${mib(memory.peak - memory.quiet)}` : null,
    ...lags,
  ];
  return { share, part, broken: broken.filter((each) => each !== null) };
}

export const percent = (part: number): string => `${Math.round(100 * part)}%`;
export const ms = (seconds: number): string => `${Math.round(1000 * seconds)} ms`;
export const mib = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MiB`;
