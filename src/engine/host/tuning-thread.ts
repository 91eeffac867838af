import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import type { ParameterUpdate } from '@millrace/protocol';
import { asError } from '../as-error.js';
import { deferred, type Deferred } from '../deferred.js';
import type { PathRequest, TuningJob, TuningNews, TuningQuestion, TuningThreadData } from '../tuning.js';
import { startInferenceThread } from './inference-thread.js';

interface TuningOptions {
  /** Receives which part is being loaded. */
  readonly onLoading: (what: string) => void;
  /** Receives how far the path under way has been followed. */
  readonly onFollowing?: (done: number, total: number) => void;
  /** Ends the thread. */
  readonly signal?: AbortSignal;
}

/**
 * Draws pictures with changed parameters, in a thread of its own, and says how near to the reference they are; or follows
 * them along the model's ODE.
 */
export class TuningThread implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #trials = new Map<number, Deferred<number | null>>();
  readonly #paths = new Map<number, Deferred<Float64Array>>();
  readonly #stop = new Int32Array(new SharedArrayBuffer(4));
  #count = 0;
  #failure: Error | null = null;

  constructor(job: TuningJob, { onLoading, onFollowing, signal }: TuningOptions) {
    const data: TuningThreadData = { job, stop: this.#stop };
    this.#worker = startInferenceThread(new URL('../worker/tuning.js', import.meta.url), data);
    this.#worker.on('message', (news: TuningNews) => {
      if (news.type === 'loading') return onLoading(news.what);
      if (news.type === 'following') return onFollowing?.(news.done, news.total);
      if (news.type === 'followed') this.#paths.get(news.number)?.resolve(news.moments);
      else this.#trials.get(news.number)?.resolve(news.error);
      this.#paths.delete(news.number);
      this.#trials.delete(news.number);
    });
    this.#worker.on('error', (error) => this.#fail(asError(error)));
    this.#worker.on('exit', () => this.#fail(new Error('the thread has ended')));
    signal?.addEventListener('abort', () => void this[Symbol.asyncDispose](), { once: true });
  }

  /**
   * Returns the relative error of a picture with some parameters changed; null if it cannot be drawn so.
   * @throws the error of the networks, or an error if the thread was ended.
   */
  async error(changes: ParameterUpdate, picture: number): Promise<number | null> {
    const number = this.#count++;
    return this.#ask(this.#trials, { type: 'trial', number, changes, picture });
  }

  /**
   * Returns the moments of a picture along the model's ODE.
   * @throws the error of the networks, or an error if the thread was ended.
   */
  async path(request: Omit<PathRequest, 'number'>): Promise<Float64Array> {
    return this.#ask(this.#paths, { type: 'path', number: this.#count++, ...request });
  }

  async #ask<Answer>(
    waiting: Map<number, Deferred<Answer>>,
    question: NonNullable<TuningQuestion>,
  ): Promise<Answer> {
    if (this.#failure) throw this.#failure;
    const answer = deferred<Answer>();
    waiting.set(question.number, answer);
    this.#worker.postMessage(question);
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
    for (const waiting of [this.#trials, this.#paths]) {
      for (const answer of waiting.values()) answer.reject(this.#failure);
      waiting.clear();
    }
  }
}
