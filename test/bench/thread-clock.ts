import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

const self = '/proc/thread-self';

/** Whether the system tells the processor time of a thread: Linux does. */
export const hasThreadClock = existsSync(self);

/** Returns the system's number of this thread; 0 without such a clock. */
export function ownThread(): number {
  return hasThreadClock ? Number(basename(readlinkSync(self))) : 0;
}

/**
 * Returns the milliseconds of a processor that a thread of this process has had: other programs on the machine add little
 * to it, whatever they do to the time by the clock. NaN without such a clock.
 */
export function processorMs(thread: number): number {
  if (!hasThreadClock) return NaN;
  const [nanoseconds] = readFileSync(`/proc/self/task/${thread}/schedstat`, 'utf8').split(' ');
  return Number(nanoseconds) / 1e6;
}
