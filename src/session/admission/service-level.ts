import { workTime, type Costs, type Work } from '../../engine/costs.js';

/** What a session is promised. */
export interface ServiceLevel {
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
export function placesIn(promise: ServiceLevel, costs: Costs, { there, one, most }: Applicants): number {
  let places = 0;
  let work = [...there, one].reduce(add);
  while (places < most && isKept(promise, costs, work)) {
    places += 1;
    work = add(work, one);
  }
  return places;
}

/**
 * Whether the engine keeps its promise, at worst: when all cameras take their pictures at the same moment. Then it has
 * to be done with one frame of each before the next come; and the frame that is last waits for one of each other
 * session, and for the U-Net call that was under way, with its pictures.
 * @param work one frame of each session.
 */
function isKept({ fps, latencySeconds }: ServiceLevel, costs: Costs, work: Work): boolean {
  const { ms, calls } = workTime(costs, work);
  if (ms * fps > usable * 1000) return false;
  return latencySeconds === 0 || ms + ms / calls <= usable * latencySeconds * 1000;
}

function add(a: Work, b: Work): Work {
  return { rows: a.rows + b.rows, pictureMs: a.pictureMs + b.pictureMs };
}
