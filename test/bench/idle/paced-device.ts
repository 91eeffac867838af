/** Calls of a device that takes a given time for each, shared between threads. */
export class PacedDevice {
  /** Shared: milliseconds of a U-Net call, milliseconds of all calls until now, their number. */
  readonly memory: SharedArrayBuffer;
  readonly #values: Float64Array;
  /** Nobody wakes who waits for it. */
  readonly #never = new Int32Array(new SharedArrayBuffer(4));

  constructor(memory = new SharedArrayBuffer(3 * 8)) {
    this.memory = memory;
    this.#values = new Float64Array(memory);
  }

  /** Milliseconds of a U-Net call. A call of the VAE encoder or decoder takes a quarter of it. */
  set unetMs(ms: number) {
    this.#values[0] = ms;
  }

  /** Milliseconds in which the device computed until now. */
  get busyMs(): number {
    return this.#values[1] ?? NaN;
  }

  get calls(): number {
    return this.#values[2] ?? NaN;
  }

  /** Blocks this thread for a call, as calls of ONNX Runtime do. */
  call(network: 'unet' | 'vae'): void {
    const start = performance.now();
    const ms = (this.#values[0] ?? 0) * (network === 'unet' ? 1 : 1 / 4);
    Atomics.wait(this.#never, 0, 0, ms);
    this.#values[1] = this.busyMs + performance.now() - start;
    this.#values[2] = this.calls + 1;
  }
}

/** The key of its memory in the data that all threads get. */
export const pacedMemory = 'millrace-paced-device';
