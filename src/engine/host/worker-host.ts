import type { Worker } from 'node:worker_threads';
import { asError } from '../as-error.js';
import { startInferenceThread } from './inference-thread.js';
import type { FromWorker, ToWorker, WorkerOptions } from '../messages.js';

export interface WorkerHostOptions {
  readonly file: URL;
  readonly worker: WorkerOptions;
  /** Longest silence while it starts, in milliseconds. */
  readonly startTimeoutMs: number;
  /** How long it may take to finish the call that it is in when told to stop, in milliseconds. */
  readonly stopTimeoutMs: number;
  onMessage(message: FromWorker): void;
  /** It ended, not by being stopped. Called once. */
  onDeath(error: Error): void;
  /** It was given up in a call that does not end. */
  onHang(): void;
}

/** How long a thread that starts may take to finish the call that it is in, in milliseconds. */
const startPatienceMs = 1200;

/**
 * One life of the worker thread: starting, running, stopping, over. It is never terminated from outside, since
 * ending a thread within an inference call aborts the whole process.
 */
export class WorkerHost {
  readonly #options: WorkerHostOptions;
  readonly #worker: Worker;
  #state: 'starting' | 'running' | 'stopping' | 'over' = 'starting';
  #silence: NodeJS.Timeout | undefined;
  readonly #exited: Promise<void>;

  constructor(options: WorkerHostOptions) {
    this.#options = options;
    this.#worker = startInferenceThread(options.file, options.worker);
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
    this.#worker.on('message', (message: FromWorker) => this.#receive(message));
    this.#worker.once('error', (error) => this.#die(asError(error)));
    this.#worker.once('exit', (code) => this.#die(new Error(`the inference thread ended with code ${code}`)));
    this.#watchSilence();
  }

  /** @param transfer memory that the message takes along. */
  post(message: ToWorker, transfer: readonly ArrayBuffer[] = []): void {
    if (this.#state === 'over') return;
    this.#worker.postMessage(message, [...transfer]);
  }

  /**
   * Asks it to stop and waits until it has. One that hangs in a call is left alone after a time-out, which is short
   * while the thread starts: no frame is lost then.
   */
  async stop(): Promise<void> {
    if (this.#state === 'over') return;
    const { stopTimeoutMs } = this.#options;
    const patienceMs = this.#state === 'starting' ? Math.min(stopTimeoutMs, startPatienceMs) : stopTimeoutMs;
    this.#state = 'stopping';
    clearTimeout(this.#silence);
    this.#worker.postMessage({ type: 'stop' } satisfies ToWorker);
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), patienceMs);
    });
    const ended = await Promise.race([this.#exited.then(() => true), patience]);
    clearTimeout(timer);
    this.#state = 'over';
    this.#worker.unref();
    if (!ended) this.#options.onHang();
  }

  #receive(message: FromWorker): void {
    if (this.#state === 'over') return;
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
      this.#die(new Error(`the inference thread was silent for ${startTimeoutMs / 1000} s while it started`));
    }, startTimeoutMs);
  }

  #die(error: Error): void {
    if (this.#state === 'over') return;
    const wanted = this.#state === 'stopping';
    this.#state = 'over';
    clearTimeout(this.#silence);
    this.#worker.unref();
    if (!wanted) this.#options.onDeath(error);
  }
}
