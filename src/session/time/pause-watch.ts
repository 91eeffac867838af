/** How often it checks, in milliseconds. */
const beatMs = 50;
/** A check that is more recent than this is not repeated, in milliseconds: to read the CPU time may cost more than a frame. */
const recentMs = 10;
/** While the process runs, two checks are never this far apart, in milliseconds. */
const pauseMs = 200;
/** If CPU time exceeded this share of the time, the process was busy or short of processors, not paused. */
const idleShare = 0.05;

/** The last pause of this process: stopped, suspended with its machine, or swapped out. */
export interface Pause {
  /** When it ended, by `performance.now()`; what arrived before is outdated. */
  readonly end: number;
  readonly ms: number;
}

export interface Pauses {
  readonly last: Pause;
}

/**
 * Detects pauses of the process. Reading `last` checks too: after a pause, events from the network and the engine are
 * handled before any timer.
 */
export class PauseWatch implements Pauses, Disposable {
  readonly #timer = setInterval(() => this.#check(), beatMs).unref();
  #lastCheck = performance.now();
  #lastCpuMs = cpuMs();
  #last: Pause = { end: -Infinity, ms: 0 };

  get last(): Pause {
    this.#check();
    return this.#last;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    const now = performance.now();
    const ms = now - this.#lastCheck;
    if (ms < recentMs) return;
    const cpu = cpuMs();
    if (ms > pauseMs && cpu - this.#lastCpuMs < idleShare * ms) this.#last = { end: now, ms };
    this.#lastCheck = now;
    this.#lastCpuMs = cpu;
  }
}

/** Returns the CPU time of all threads of this process. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
