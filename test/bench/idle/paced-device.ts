/**
 * How a thread waits for its device: CUDA's default is to ask again and again, which keeps the thread's data in the
 * processor's cache; others let the thread sleep.
 */
export type Waiting = 'spin' | 'sleep';

/** Positions in the shared memory; from `waits` on, the idle milliseconds before each of the last U-Net calls. */
const at = { unetMs: 0, spins: 1, busyMs: 2, calls: 3, thread: 4, graphMs: 5, waits: 6 } as const;
const keptWaits = 4096;
/** Rounds between two looks at the clock: each look leaves garbage behind, and this thread would have to collect it. */
const spinRounds = 500;

/** A device that takes a given time for each call, shared between threads. */
export class PacedDevice {
  readonly memory: SharedArrayBuffer;
  readonly #values: Float64Array;
  /** Nobody wakes who waits for it. */
  readonly #never = new Int32Array(new SharedArrayBuffer(4));
  #endedAt = 0;
  #waitedMs = 0;

  /** @param memory of the same device in another thread. */
  constructor(memory = new SharedArrayBuffer((at.waits + keptWaits) * 8)) {
    this.memory = memory;
    this.#values = new Float64Array(memory);
  }

  /** @param unetMs milliseconds of a U-Net call. A call of the VAE encoder or decoder takes a quarter of it. */
  set(unetMs: number, waiting: Waiting): void {
    this.#values[at.unetMs] = unetMs;
    this.#values[at.spins] = waiting === 'spin' ? 1 : 0;
  }

  /** Milliseconds in which the device computed until now. */
  get busyMs(): number {
    return this.#values[at.busyMs];
  }

  /** The number of U-Net calls until now. */
  get calls(): number {
    return this.#values[at.calls];
  }

  /** The operating system's number of the thread that uses the device. */
  get thread(): number {
    return this.#values[at.thread];
  }

  set thread(id: number) {
    this.#values[at.thread] = id;
  }

  /** Milliseconds until now that graphs beside the device took of the thread. */
  get graphMs(): number {
    return this.#values[at.graphMs];
  }

  /** Takes note of a graph that ran beside the device. */
  graphRan(ms: number): void {
    this.#values[at.graphMs] += ms;
  }

  /** Returns how many milliseconds the device was idle from one U-Net call to the next, for the last ones. */
  lastWaits(count: number): readonly number[] {
    const { calls } = this;
    const most = Math.min(count, calls, keptWaits);
    return Array.from({ length: most }, (_, i) => this.#values[at.waits + ((calls - 1 - i) % keptWaits)]);
  }

  /** Blocks this thread for a call, as calls of ONNX Runtime do. */
  call(network: 'unet' | 'vae'): void {
    const values = this.#values;
    const start = performance.now();
    if (this.#endedAt > 0) this.#waitedMs += start - this.#endedAt;
    const end = start + values[at.unetMs] * (network === 'unet' ? 1 : 1 / 4);
    if (values[at.spins] === 0) Atomics.wait(this.#never, 0, 0, end - start);
    while (performance.now() < end) for (let round = 0; round < spinRounds; round++) values[at.spins] += 0;
    this.#endedAt = performance.now();
    values[at.busyMs] += this.#endedAt - start;
    if (network !== 'unet') return;
    values[at.waits + (values[at.calls] % keptWaits)] = this.#waitedMs;
    values[at.calls] += 1;
    this.#waitedMs = 0;
  }
}

/** The key of its memory in the data that all threads get. */
export const pacedMemory = 'millrace-paced-device';
