/** How often it looks, in milliseconds. */
const beatMs = 50;
/** From one look to the next it never takes as long as this where the process runs. */
const pauseMs = 200;
/** Who used more of the time than this was not stopped, but busy or short of processors: that is no pause. */
const idleShare = 0.05;

/** How this process last was held up: stopped, suspended with its machine, or swapped out. */
export interface Pause {
  /** When it went on, by `performance.now()`; what arrived before is old. */
  readonly end: number;
  readonly ms: number;
}

export interface Pauses {
  readonly last: Pause;
}

/**
 * Notices that the process was held up. Whoever asks looks too: after a stop, what the network and the engine brought
 * meanwhile is worked on before any timer.
 */
export class PauseWatch implements Pauses, Disposable {
  readonly #timer = setInterval(() => this.#look(), beatMs).unref();
  #lastLook = performance.now();
  #lastCpuMs = cpuMs();
  #last: Pause = { end: -Infinity, ms: 0 };

  get last(): Pause {
    this.#look();
    return this.#last;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    const ms = now - this.#lastLook;
    const cpu = cpuMs();
    if (ms > pauseMs && cpu - this.#lastCpuMs < idleShare * ms) this.#last = { end: now, ms };
    this.#lastLook = now;
    this.#lastCpuMs = cpu;
  }
}

/** What all threads of this process have used. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
