import type { StreamParameters } from '@millrace/protocol';
import { setEnvironmentData } from 'node:worker_threads';
import type { WorkerOptions } from '../../../src/engine/messages.js';
import { WorkerThread } from '../../engine/worker/worker-thread.js';
import { testImage } from '../../support/engine.js';
import { PacedDevice, pacedMemory } from '../idle/paced-device.js';
import { processorMs } from '../thread-clock.js';

/** What a frame takes of the inference thread besides the calls of the device, in milliseconds. */
export interface ThreadTime {
  /** Processor time of JavaScript and of graphs on the CPU: other programs on the machine do not add to it. */
  readonly all: number;
  /** What is in graphs between pictures and networks, by the clock. */
  readonly graphs: number;
}

/**
 * An engine's thread that tells what frames take of its time, around a device that takes none. A device that computes on
 * the same cores would empty their caches, and its threads take turns with this one.
 */
export class TimedEngine implements AsyncDisposable {
  readonly #thread: WorkerThread;
  readonly #device: PacedDevice;
  #streams = 0;
  #pictures: readonly Uint8Array[] = [];

  private constructor(thread: WorkerThread, device: PacedDevice) {
    this.#thread = thread;
    this.#device = device;
  }

  static async start(options: Partial<WorkerOptions>): Promise<TimedEngine> {
    const device = new PacedDevice();
    // Calibration measures its calls.
    device.set(1, 'sleep');
    setEnvironmentData(pacedMemory, device.memory);
    const thread = new WorkerThread(new URL('../idle/paced-worker.js', import.meta.url), options);
    const ended = thread.ended.then((code): never => {
      throw new Error(`the engine's thread ended with ${code}: ${thread.stderr}`);
    });
    await Promise.race([thread.when('ready'), ended]);
    ended.catch(() => {});
    device.set(0, 'sleep');
    return new TimedEngine(thread, device);
  }

  /**
   * Sends frames to a stream of its own, each after the result of the one before.
   * @param warmUp frames before, which do not count: V8 compiles what runs often.
   */
  async measure(
    parameters: StreamParameters,
    { frames, warmUp }: { readonly frames: number; readonly warmUp: number },
  ): Promise<ThreadTime> {
    const stream = this.#streams++;
    const thread = this.#thread;
    const opened = thread.of('open').length;
    thread.send({
      type: 'ask',
      stream,
      request: 0,
      question: 'open',
      argument: { parameters, state: null, account: null },
    });
    await thread.when('open', opened);
    this.#pictures = [0, 1].map((picture) => testImage(picture, parameters).data);
    for (let frame = 0; frame < warmUp; frame++) await this.#frame(stream, frame, parameters);
    const before = this.#now();
    for (let frame = 0; frame < frames; frame++) await this.#frame(stream, warmUp + frame, parameters);
    const after = this.#now();
    thread.send({ type: 'close', stream });
    return {
      all: (after.processor - before.processor) / frames,
      graphs: (after.graphs - before.graphs) / frames,
    };
  }

  async #frame(stream: number, frame: number, { width, height }: StreamParameters): Promise<void> {
    this.#thread.said.length = 0;
    const image = { width, height, data: this.#pictures[frame % 2].slice() };
    this.#thread.worker.postMessage(
      { type: 'frame', stream, frame, replace: false, width, height, input: { image } },
      [image.data.buffer],
    );
    const { pixels } = await this.#thread.when('result');
    this.#thread.worker.postMessage({ type: 'recycle', pixels }, [pixels]);
  }

  /** Returns the milliseconds of a processor that the thread has had, and those of graphs. */
  #now(): { readonly processor: number; readonly graphs: number } {
    return { processor: processorMs(this.#device.thread), graphs: this.#device.graphMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]();
  }
}
