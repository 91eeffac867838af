import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import type { ParameterUpdate } from '@millrace/protocol';
import { asError } from '../as-error.js';
import { deferred, type Deferred } from '../deferred.js';
import type { Trial, TuningJob, TuningNews, TuningThreadData } from '../tuning.js';
import { startInferenceThread } from './inference-thread.js';

/** Draws pictures with changed parameters, in a thread of its own, and says how near to the reference they are. */
export class TuningThread implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Deferred<number | null>>();
  readonly #stop = new Int32Array(new SharedArrayBuffer(4));
  #count = 0;
  #failure: Error | null = null;

  /** @param onLoading receives which part is being loaded. */
  constructor(job: TuningJob, onLoading: (what: string) => void) {
    const data: TuningThreadData = { job, stop: this.#stop };
    this.#worker = startInferenceThread(new URL('../worker/tuning.js', import.meta.url), data);
    this.#worker.on('message', (news: TuningNews) => {
      if (news.type === 'loading') return onLoading(news.what);
      this.#waiting.get(news.number)?.resolve(news.error);
      this.#waiting.delete(news.number);
    });
    this.#worker.on('error', (error) => this.#fail(asError(error)));
    this.#worker.on('exit', () => this.#fail(new Error('the thread has ended')));
  }

  /**
   * Returns the relative error of a picture with some parameters changed; null if it cannot be drawn so.
   * @throws the error of the networks, or an error if the thread was ended.
   */
  async error(changes: ParameterUpdate, picture: number): Promise<number | null> {
    if (this.#failure) throw this.#failure;
    const trial: Trial = { number: this.#count++, changes, picture };
    const answer = deferred<number | null>();
    this.#waiting.set(trial.number, answer);
    this.#worker.postMessage(trial);
    return answer.promise;
  }

  /** Waits for the U-Net call under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#failure) return;
    Atomics.store(this.#stop, 0, 1);
    this.#worker.postMessage(null);
    await once(this.#worker, 'exit');
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const answer of this.#waiting.values()) answer.reject(this.#failure);
    this.#waiting.clear();
  }
}
