/** One session, as the server tells it. Times in milliseconds. */
export interface SessionRow {
  readonly id: string;
  readonly state: 'opening' | 'active' | 'closing' | 'closed';
  readonly address: string | null;
  readonly figures: {
    readonly seconds: number;
    readonly fpsIn: number;
    readonly fpsOut: number;
    readonly latency: { readonly p50: number; readonly p95: number } | null;
    readonly staleness: number | null;
    readonly received: number;
    readonly sent: number;
    readonly dropped: number;
  };
  readonly stream: {
    readonly width: number;
    readonly height: number;
    readonly mode: string;
    readonly steps: number;
    readonly paused: boolean;
    readonly promptLength: number;
  } | null;
  readonly picture: boolean;
}

/** Answer of `GET /v1/admin/overview`. */
export interface Overview {
  /** Milliseconds since 1970, by the server's clock. */
  readonly time: number;
  readonly role: 'reader' | 'admin';
  /** Whether a token makes an admin. */
  readonly adminToken: boolean;
  readonly thumbnails: boolean;
  readonly server: string;
  readonly model: { readonly name: string; readonly description: string };
  readonly engine: {
    readonly state: 'starting' | 'ready' | 'restarting' | 'failed' | 'stopped';
    readonly doing: string | null;
    readonly device: string | null;
    readonly rowsPerSecond: number | null;
  };
  readonly ready: boolean;
  readonly draining: boolean;
  readonly counts: {
    readonly opening: number;
    readonly queued: number;
    readonly active: number;
    readonly parked: number;
    readonly closing: number;
    readonly slots: number;
  };
  readonly sessions: readonly SessionRow[];
  readonly history: History;
}

/** Curves over the last minutes. */
export interface History {
  /** Milliseconds since 1970, rising. */
  readonly times: readonly number[];
  readonly series: Readonly<Record<string, readonly (number | null)[]>>;
}

/** Adds newer samples, and forgets those from before `oldest`. */
export function extended(history: History, newer: History, oldest: number): History {
  const skipped = history.times.filter((time) => time < oldest).length;
  const names = new Set([...Object.keys(history.series), ...Object.keys(newer.series)]);
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

/** The newest value of a curve; null if there is none. */
export function latest(history: History, name: string): number | null {
  return history.series[name]?.at(-1) ?? null;
}

/** Mean of the values of the last minute; null if there are none. */
export function lastMinute({ times, series }: History, name: string): number | null {
  const since = (times.at(-1) ?? 0) - 60_000;
  const values = (series[name] ?? []).filter((value, i) => value !== null && (times[i] ?? 0) > since);
  if (values.length === 0) return null;
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0) / values.length;
}
