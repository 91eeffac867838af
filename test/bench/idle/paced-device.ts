/**
 * How a thread waits for its device: CUDA's default is to ask again and again, which keeps the thread's data in the
 * processor's cache; others let the thread sleep.
 */
export type Waiting = 'spin' | 'sleep';

/** A device that takes a given time for each call, shared between threads. */
export class PacedDevice {
  /** Shared: milliseconds of a U-Net call, whether threads spin, milliseconds of all calls until now. */
  readonly memory: SharedArrayBuffer;
  readonly #values: Float64Array;
  /** Nobody wakes who waits for it. */
  readonly #never = new Int32Array(new SharedArrayBuffer(4));

  constructor(memory = new SharedArrayBuffer(3 * 8)) {
    this.memory = memory;
    this.#values = new Float64Array(memory);
  }

  /** @param unetMs milliseconds of a U-Net call. A call of the VAE encoder or decoder takes a quarter of it. */
  set(unetMs: number, waiting: Waiting): void {
    this.#values[0] = unetMs;
    this.#values[1] = waiting === 'spin' ? 1 : 0;
  }

  /** Milliseconds in which the device computed until now. */
  get busyMs(): number {
    return this.#values[2] ?? NaN;
  }

  /** Blocks this thread for a call, as calls of ONNX Runtime do. */
  call(network: 'unet' | 'vae'): void {
    const [unetMs = 0, spins = 0] = this.#values;
    const start = performance.now();
    const end = start + (network === 'unet' ? unetMs : unetMs / 4);
    if (spins === 0) Atomics.wait(this.#never, 0, 0, end - start);
    while (performance.now() < end);
    this.#values[2] = this.busyMs + performance.now() - start;
  }
}

/** The key of its memory in the data that all threads get. */
export const pacedMemory = 'millrace-paced-device';
