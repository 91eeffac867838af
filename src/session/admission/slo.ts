import { workTime, type Costs, type Work } from '../../engine/costs.js';

/** The service level objective (SLO) of a session. */
export interface Slo {
  /** Frames per second; 0 for no objective. */
  readonly fps: number;
  /** Seconds from the arrival of a frame to the sending of its result; 0 for no objective. */
  readonly latencySeconds: number;
}

/** Share of the time that sessions get: the rest is for work outside the engine, and for variation. */
const usable = 0.8;

interface Applicants {
  /** One frame of each present session. */
  readonly there: readonly Work[];
  /** One frame of a new session. */
  readonly one: Work;
  readonly most: number;
}

/** Returns how many more sessions can be served within the SLO. */
export function slotsIn(slo: Slo, costs: Costs, { there, one, most }: Applicants): number {
  let slots = 0;
  let work = [...there, one].reduce(add);
  while (slots < most && isKept(slo, costs, work)) {
    slots += 1;
    work = add(work, one);
  }
  return slots;
}

/**
 * Returns whether the engine keeps the SLO in the worst case: all cameras take their pictures at the same moment. It
 * must then finish one frame of each session before the next ones arrive; and the last frame waits for one frame of
 * every other session, and for the U-Net call under way, with its pictures. Sessions that send more than the SLO may
 * fill these calls: even then the last call begins before the next frames arrive and ends in time, if nothing varies.
 * @param work one frame of each session.
 */
function isKept({ fps, latencySeconds }: Slo, costs: Costs, work: Work): boolean {
  const { ms, calls } = workTime(costs, work);
  const rows = Math.min(costs.rowBudget, work.rows);
  const full = workTime(costs, { rows, pictureMs: (work.pictureMs * rows) / work.rows }).ms;
  if (ms * fps > usable * 1000 || calls * full * fps > 1000) return false;
  const mostMs = latencySeconds === 0 ? Infinity : latencySeconds * 1000;
  return ms + ms / calls <= usable * mostMs && (calls + 1) * full <= mostMs;
}

function add(a: Work, b: Work): Work {
  return { rows: a.rows + b.rows, pictureMs: a.pictureMs + b.pictureMs };
}
