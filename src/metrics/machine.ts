import { readFileSync } from 'node:fs';

/** What all processors of this machine did since it started, in any unit of time. */
export interface MachineReading {
  readonly total: number;
  readonly idle: number;
  /** Time that the host of this virtual machine gave to others although there was work. */
  readonly steal: number;
}

/**
 * Parses the sum of all processors in /proc/stat (proc_stat(5)): user, nice, system, idle, iowait, irq, softirq, steal,
 * and guests, which are counted as user too.
 * @returns null if the text has no such line.
 */
export function parseMachine(text: string): MachineReading | null {
  const ticks = /^cpu +(.+)$/m.exec(text)?.[1]?.split(' ').map(Number) ?? [];
  const [user, nice, system, idle, wait = 0, irq = 0, softirq = 0, steal = 0] = ticks;
  if (user === undefined || nice === undefined || system === undefined || idle === undefined) return null;
  const total = user + nice + system + idle + wait + irq + softirq + steal;
  return Number.isFinite(total) ? { total, idle: idle + wait, steal } : null;
}

/** Reads what the processors did; null on systems other than Linux. */
export function readMachine(): MachineReading | null {
  try {
    return parseMachine(readFileSync('/proc/stat', 'utf8'));
  } catch {
    return null;
  }
}
