import type { StreamParameters } from '@millrace/protocol';
import type { StreamState } from '../../diffusion/stream.js';
import type { Image } from '../../image/image.js';
import { deferred, type Deferred } from '../deferred.js';
import { ParameterError, type EngineStream, type PushOptions, type StreamListener } from '../engine.js';
import type { FromWorker, ToWorker } from '../messages.js';

export interface ManagedStreamLinks {
  post(message: ToWorker, transfer?: readonly ArrayBuffer[]): void;
  onClose(): void;
}

/** Messages from the worker about one stream. */
export type StreamMessage = Extract<FromWorker, { readonly stream: number }>;

interface PendingChange {
  readonly parameters: StreamParameters;
  readonly outcome: Deferred<{ readonly from: number }>;
}

/** What a stream starts with. */
export interface StreamStart {
  readonly parameters: StreamParameters;
  /** The state to continue from; null for a new stream. */
  readonly state: StreamState | null;
  /** The account whose share of the time it uses; null if it has its own share. */
  readonly account: string | null;
}

/** The main thread's end of one stream: outlives the worker thread, and is reopened in the next one. */
export class ManagedStream implements EngineStream {
  readonly #id: number;
  readonly #listener: StreamListener;
  readonly #links: ManagedStreamLinks;
  readonly #opened = deferred<void>();
  /** The last parameters that the worker accepted. */
  #parameters: StreamParameters;
  /** The state to open with, once: frames under way are lost if the worker dies. */
  #initial: StreamState | null;
  readonly #account: string | null;
  readonly #changes = new Map<number, PendingChange>();
  readonly #snapshots = new Map<number, Deferred<StreamState>>();
  #nextRequest = 0;
  #state: 'opening' | 'open' | 'interrupted' | 'closed' = 'opening';

  constructor(
    id: number,
    { parameters, state, account }: StreamStart,
    listener: StreamListener,
    links: ManagedStreamLinks,
  ) {
    this.#id = id;
    this.#parameters = parameters;
    this.#initial = state;
    this.#account = account;
    this.#listener = listener;
    this.#links = links;
  }

  /** Settles when the worker has opened it. @throws {ParameterError} if the parameters are invalid. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** Asks the worker to open it; called for each new worker. */
  open(): void {
    this.#links.post({
      type: 'open',
      stream: this.#id,
      parameters: this.#parameters,
      state: this.#initial,
      account: this.#account,
    });
  }

  push(frame: number, image: Image | null, { replace, preparedMs = 0 }: PushOptions): void {
    if (this.#state !== 'open') {
      // Not within this call: listeners may rely on push returning first.
      if (this.#state !== 'closed') queueMicrotask(() => this.#listener.onDropped(frame, 'stale'));
      return;
    }
    const { width, height } = image ?? this.#parameters;
    const pixels = image?.data.buffer ?? null;
    const message = {
      type: 'frame',
      stream: this.#id,
      frame,
      replace,
      preparedMs,
      width,
      height,
      pixels,
    } as const;
    this.#links.post(message, pixels ? [pixels] : []);
  }

  configure(parameters: StreamParameters): Promise<{ readonly from: number }> {
    const obstacle = this.#obstacle();
    if (obstacle) return Promise.reject(obstacle);
    const request = this.#nextRequest++;
    const outcome = deferred<{ readonly from: number }>();
    this.#changes.set(request, { parameters, outcome });
    this.#links.post({ type: 'configure', stream: this.#id, request, parameters });
    return outcome.promise;
  }

  snapshot(): Promise<StreamState> {
    const obstacle = this.#obstacle();
    if (obstacle) return Promise.reject(obstacle);
    const request = this.#nextRequest++;
    const outcome = deferred<StreamState>();
    this.#snapshots.set(request, outcome);
    this.#links.post({ type: 'snapshot', stream: this.#id, request });
    return outcome.promise;
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#links.post({ type: 'close', stream: this.#id });
    this.#end(new Error('the stream is closed'));
  }

  /** Closes the stream, since the engine has stopped for good. */
  abort(reason: Error): void {
    if (this.#state === 'closed') return;
    this.#end(reason);
    this.#listener.onClosed(reason);
  }

  /** Handles the death of the worker: frames in flight are lost, parameters are kept. */
  interrupt(reason: Error): void {
    if (this.#state === 'closed' || this.#state === 'opening') return;
    this.#state = 'interrupted';
    this.#rejectRequests(reason);
    this.#listener.onRestart();
  }

  /** @returns false if the stream is closed. */
  receive(message: StreamMessage): boolean {
    if (this.#state === 'closed') return false;
    switch (message.type) {
      case 'opened':
        this.#state = 'open';
        this.#initial = null;
        this.#opened.resolve();
        break;
      case 'snapshotted':
        this.#snapshots.get(message.request)?.resolve(message.state);
        this.#snapshots.delete(message.request);
        break;
      case 'configured':
        this.#settle(message.request, ({ parameters, outcome }) => {
          this.#parameters = parameters;
          outcome.resolve({ from: message.from });
        });
        break;
      case 'rejected':
        this.#reject(message);
        break;
      case 'admitted':
        this.#listener.onAdmitted(message.frame);
        break;
      case 'dropped':
        this.#listener.onDropped(message.frame, message.reason);
        break;
      case 'result':
        void this.#deliver(message);
        break;
    }
    return true;
  }

  #reject({ request, field, message }: Extract<StreamMessage, { type: 'rejected' }>): void {
    const error = new ParameterError(field, message);
    if (request !== null) return this.#settle(request, ({ outcome }) => outcome.reject(error));
    this.#end(error);
    this.#opened.reject(error);
  }

  async #deliver({
    frame,
    width,
    height,
    pixels,
    timings,
  }: Extract<StreamMessage, { type: 'result' }>): Promise<void> {
    try {
      await this.#listener.onResult(frame, { width, height, data: new Uint8Array(pixels), timings });
    } finally {
      this.#links.post({ type: 'recycle', pixels }, [pixels]);
    }
  }

  #settle(request: number, action: (change: PendingChange) => void): void {
    const change = this.#changes.get(request);
    this.#changes.delete(request);
    if (change) action(change);
  }

  /** Returns why the worker cannot take requests now; null if it can. */
  #obstacle(): Error | null {
    if (this.#state === 'closed') return new Error('the stream is closed');
    return this.#state === 'interrupted' ? new Error('the engine is being restarted') : null;
  }

  #rejectRequests(reason: Error): void {
    for (const { outcome } of this.#changes.values()) outcome.reject(reason);
    for (const outcome of this.#snapshots.values()) outcome.reject(reason);
    this.#changes.clear();
    this.#snapshots.clear();
  }

  #end(reason: Error): void {
    this.#state = 'closed';
    this.#opened.reject(reason);
    this.#rejectRequests(reason);
    this.#links.onClose();
  }
}
