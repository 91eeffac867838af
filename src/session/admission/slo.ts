import { workTime, type Costs, type Work } from '../../engine/costs.js';

/** What a session is promised. */
export interface Slo {
  /** Frames a second; 0 promises nothing. */
  readonly fps: number;
  /** Seconds from the arrival of a frame to the sending of its result; 0 promises none. */
  readonly latencySeconds: number;
}

/** Part of the time that is given away: the rest is for what comes beside the engine, and for what varies. */
const usable = 0.8;

interface Applicants {
  /** One frame of each session that is there. */
  readonly there: readonly Work[];
  /** One frame of a session that comes. */
  readonly one: Work;
  readonly most: number;
}

/** How many sessions more can be promised this. */
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
 * Returns whether the engine keeps the SLO, at worst: when all cameras take their pictures at the same moment. Then it
 * has to be done with one frame of each before the next come; and the frame that is last waits for one of each other
 * session, and for the U-Net call that was under way, with its pictures. Sessions that send more than they are promised
 * may fill these calls: then too the last one begins before the next frames come and ends in time, if nothing varies.
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
