import type { CalibrationTime } from './messages.js';

/** Returns when something was measured, in words. */
export function calibrationDate({ at, isKept }: CalibrationTime): string {
  return isKept ? `kept from ${at.toISOString().slice(0, 16).replace('T', ' ')} UTC` : 'measured now';
}
