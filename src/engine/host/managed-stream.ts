import type { StreamParameters } from '@millrace/protocol';
import type { StreamState } from '../../diffusion/stream.js';
import type { Image } from '../../image/image.js';
import { deferred } from '../deferred.js';
import { ParameterError, type EngineStream, type PushOptions, type StreamListener } from '../engine.js';
import type { FromWorker, StreamStart, ToWorker } from '../messages.js';
import { Requests } from './requests.js';

export interface ManagedStreamLinks {
  post(message: ToWorker, transfer?: readonly ArrayBuffer[]): void;
  onClose(): void;
}

/** Messages from the worker about one stream. */
export type StreamMessage = Extract<FromWorker, { readonly stream: number }>;

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
  readonly #requests: Requests;
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
    this.#requests = new Requests(id, (message) => links.post(message));
  }

  /** Settles when the worker has opened it. @throws {ParameterError} if the parameters are invalid. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** Asks the worker to open it; called for each new worker. */
  open(): void {
    const start = { parameters: this.#parameters, state: this.#initial, account: this.#account };
    const answer = this.#requests.ask('open', start, () => {
      this.#state = 'open';
      this.#initial = null;
      this.#opened.resolve();
    });
    answer.catch((error: Error) => {
      // After any other error, the stream has ended already or the next worker will be asked.
      if (error instanceof ParameterError) this.#end(error);
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
    const keep = (): void => void (this.#parameters = parameters);
    return this.#obstacle() ?? this.#requests.ask('configure', parameters, keep);
  }

  snapshot(): Promise<StreamState> {
    return this.#obstacle() ?? this.#requests.ask('snapshot', null);
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
    this.#requests.rejectAll(reason);
    if (this.#state === 'closed' || this.#state === 'opening') return;
    this.#state = 'interrupted';
    this.#listener.onRestart();
  }

  /** @returns false if the stream is closed. */
  receive(message: StreamMessage): boolean {
    if (this.#state === 'closed') return false;
    switch (message.type) {
      case 'answered':
      case 'refused':
        this.#requests.settle(message);
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

  /** Rejects if the worker cannot take questions now; returns null if it can. */
  #obstacle(): Promise<never> | null {
    if (this.#state === 'closed') return Promise.reject(new Error('the stream is closed'));
    if (this.#state === 'interrupted') return Promise.reject(new Error('the engine is being restarted'));
    return null;
  }

  #end(reason: Error): void {
    this.#state = 'closed';
    this.#opened.reject(reason);
    this.#requests.rejectAll(reason);
    this.#links.onClose();
  }
}
