/** What a session is promised. */
export interface ServiceLevel {
  /** Frames a second; 0 promises nothing. */
  readonly fps: number;
  /** Seconds from the arrival of a frame to the sending of its result; 0 promises none. */
  readonly latencySeconds: number;
}

/** Part of the time that is given away: the rest is for what comes beside the engine, and for what varies. */
const usable = 0.8;

/**
 * How many sessions more can be promised this. At worst all cameras take their pictures at the same moment, and the
 * frame that comes last waits for one of each other session: so one frame of each must take no longer than the
 * promised latency, nor than the time from one frame to the next.
 * @param there milliseconds of the engine that one frame takes, of each session that is there.
 * @param one the same of a session that comes.
 */
export function placesIn(
  { fps, latencySeconds }: ServiceLevel,
  { there, one }: { readonly there: readonly number[]; readonly one: number },
): number {
  const round = Math.min(1000 / fps, latencySeconds > 0 ? 1000 * latencySeconds : Infinity);
  const free = usable * round - there.reduce((sum, ms) => sum + ms, 0);
  return Math.max(0, Math.floor(free / one));
}
