import type { StreamParameters } from '@millrace/protocol';
import type { WorkerOptions } from '../../../src/engine/messages.js';
import { WorkerThread } from '../../engine/worker/worker-thread.js';
import { testImage } from '../../support/engine.js';

/** What a frame takes of the inference thread, in milliseconds. */
export interface ThreadTime {
  /** Outside of ONNX Runtime. */
  readonly script: number;
  /** In ONNX Runtime. */
  readonly runtime: number;
}

/** An engine's thread that tells what frames take of its time. */
export class TimedEngine implements AsyncDisposable {
  readonly #thread: WorkerThread;
  readonly #spent: Float64Array;
  #streams = 0;

  private constructor(thread: WorkerThread, spent: Float64Array) {
    this.#thread = thread;
    this.#spent = spent;
  }

  static async start(options: Partial<WorkerOptions>): Promise<TimedEngine> {
    const spent = new SharedArrayBuffer(8);
    const thread = new WorkerThread(new URL('timed-worker.js', import.meta.url), options, { spent });
    const ended = thread.ended.then((code): never => {
      throw new Error(`the engine's thread ended with ${code}: ${thread.stderr}`);
    });
    await Promise.race([thread.when('ready'), ended]);
    ended.catch(() => {});
    return new TimedEngine(thread, new Float64Array(spent));
  }

  /** Sends frames to a stream of its own, each after the result of the one before. @param warmUp frames that do not count. */
  async measure(parameters: StreamParameters, frames: number, warmUp = 3): Promise<ThreadTime> {
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
    for (let frame = 0; frame < warmUp; frame++) await this.#frame(stream, frame, parameters);
    const before = this.#now();
    for (let frame = 0; frame < frames; frame++) await this.#frame(stream, warmUp + frame, parameters);
    const after = this.#now();
    thread.send({ type: 'close', stream });
    const runtime = (after.runtime - before.runtime) / frames;
    return { script: (after.active - before.active) / frames - runtime, runtime };
  }

  async #frame(stream: number, frame: number, { width, height }: StreamParameters): Promise<void> {
    const answered = this.#thread.of('result').length;
    const image = testImage(frame, { width, height });
    this.#thread.worker.postMessage(
      { type: 'frame', stream, frame, replace: false, width, height, input: { image } },
      [image.data.buffer],
    );
    const { pixels } = await this.#thread.when('result', answered);
    this.#thread.worker.postMessage({ type: 'recycle', pixels }, [pixels]);
  }

  /** Returns how long the thread was busy since its start, and how long of that in ONNX Runtime. */
  #now(): { readonly active: number; readonly runtime: number } {
    return {
      active: this.#thread.worker.performance.eventLoopUtilization().active,
      runtime: this.#spent[0],
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]();
  }
}
