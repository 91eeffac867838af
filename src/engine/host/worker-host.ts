import type { Worker } from 'node:worker_threads';
import { asError } from '../as-error.js';
import { startInferenceThread } from './inference-thread.js';
import type { FromWorker, ToWorker, WorkerOptions } from '../messages.js';
import { withinTime } from '../within-time.js';

export interface WorkerHostOptions {
  readonly file: URL;
  readonly worker: WorkerOptions;
  /** Longest silence of a starting thread. */
  readonly startTimeoutMs: number;
  /** Longest wait for the current call to finish when the thread is stopped. */
  readonly stopTimeoutMs: number;
  onMessage(message: FromWorker): void;
  /** The thread ended without being stopped. Called once. */
  onDeath(error: Error): void;
  /** The thread was abandoned in a call that does not return. */
  onHang(): void;
}

/** Longest wait for the current call of a starting thread that is stopped. */
const startingStopTimeoutMs = 1200;

/**
 * The life of one worker thread: starting, running, stopping, ended. It is never terminated from outside, since that
 * aborts the whole process if the thread is in an inference call.
 */
export class WorkerHost {
  readonly #options: WorkerHostOptions;
  readonly #worker: Worker;
  #state: 'starting' | 'running' | 'stopping' | 'ended' = 'starting';
  #silence: NodeJS.Timeout | undefined;
  readonly #exited: Promise<void>;

  constructor(options: WorkerHostOptions) {
    this.#options = options;
    this.#worker = startInferenceThread(options.file, options.worker);
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
    this.#worker.on('message', (messages: readonly FromWorker[]) => {
      for (const message of messages) this.#receive(message);
    });
    this.#worker.once('error', (error) => this.#die(asError(error)));
    this.#worker.once('exit', (code) => this.#die(new Error(`the inference thread ended with code ${code}`)));
    this.#watchSilence();
  }

  /** @param transfer memory that is moved with the message. */
  post(message: ToWorker, transfer: readonly ArrayBuffer[] = []): void {
    if (this.#state === 'ended') return;
    this.#worker.postMessage(message, [...transfer]);
  }

  /**
   * Asks the thread to stop and waits for it. A thread that hangs in a call is abandoned after a timeout, which is
   * short while the thread starts, since no frame can be lost then.
   */
  async stop(): Promise<void> {
    if (this.#state === 'ended') return;
    const { stopTimeoutMs } = this.#options;
    const timeoutMs =
      this.#state === 'starting' ? Math.min(stopTimeoutMs, startingStopTimeoutMs) : stopTimeoutMs;
    this.#state = 'stopping';
    clearTimeout(this.#silence);
    this.#worker.postMessage({ type: 'stop' } satisfies ToWorker);
    const stopped = await withinTime(
      this.#exited.then(() => true),
      timeoutMs,
    );
    this.#state = 'ended';
    this.#worker.unref();
    if (!stopped) this.#options.onHang();
  }

  #receive(message: FromWorker): void {
    if (this.#state === 'ended') return;
    if (message.type === 'failed') return this.#die(new Error(message.message));
    if (this.#state === 'starting') {
      if (message.type === 'ready') this.#state = 'running';
      this.#watchSilence();
    }
    this.#options.onMessage(message);
  }

  #watchSilence(): void {
    clearTimeout(this.#silence);
    if (this.#state !== 'starting') return;
    const { startTimeoutMs } = this.#options;
    this.#silence = setTimeout(() => {
      this.#options.onHang();
      // If its call returns one day, it ends.
      this.#worker.postMessage({ type: 'stop' } satisfies ToWorker);
      this.#die(new Error(`the inference thread was silent for ${startTimeoutMs / 1000} s while it started`));
    }, startTimeoutMs);
  }

  #die(error: Error): void {
    if (this.#state === 'ended') return;
    const expected = this.#state === 'stopping';
    this.#state = 'ended';
    clearTimeout(this.#silence);
    this.#worker.unref();
    if (!expected) this.#options.onDeath(error);
  }
}
