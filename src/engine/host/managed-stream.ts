import type { StreamParameters, UnderstoodPrompt } from '@millrace/protocol';
import type { StreamState } from '../../diffusion/stream.js';
import { deferred } from '../deferred.js';
import { ParameterError, type EngineStream, type PushOptions, type StreamListener } from '../engine.js';
import { memoryOf, type FrameInput } from '../frame-input.js';
import type { MessageFromStream, StreamStart, ToWorker } from '../messages.js';
import { Requests } from './requests.js';

export interface ManagedStreamLinks {
  post(message: ToWorker, transfer?: readonly ArrayBuffer[]): void;
  onClose(): void;
}

/** The main thread's end of one stream: outlives the worker thread, and is reopened in the next one. */
export class ManagedStream implements EngineStream {
  readonly #id: number;
  readonly #listener: StreamListener;
  readonly #links: ManagedStreamLinks;
  readonly #opened = deferred<void>();
  /**
   * What the next worker opens it with: the last parameters that a worker accepted; the state once, since frames under
   * way are lost if a worker dies.
   */
  #start: StreamStart;
  readonly #requests: Requests;
  #understood: readonly UnderstoodPrompt[] | undefined;
  #state: 'opening' | 'open' | 'interrupted' | 'closed' = 'opening';

  constructor(id: number, start: StreamStart, listener: StreamListener, links: ManagedStreamLinks) {
    this.#id = id;
    this.#start = start;
    this.#listener = listener;
    this.#links = links;
    this.#requests = new Requests(id, (message) => links.post(message));
  }

  /** Settles when the worker has opened it. @throws {ParameterError} if the parameters are invalid. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  get understood(): readonly UnderstoodPrompt[] | undefined {
    return this.#understood;
  }

  /** Asks the worker to open it; called for each new worker. */
  open(): void {
    const answer = this.#requests.ask('open', this.#start, () => {
      this.#state = 'open';
      this.#start = { ...this.#start, state: null };
      this.#opened.resolve();
    });
    answer.catch((error: Error) => {
      // After any other error, the stream has ended already or the next worker will be asked.
      if (!(error instanceof ParameterError)) return;
      // A stream that was open already has been lost, which its listener does not know.
      if (this.#state === 'interrupted') this.abort(error);
      else this.#end(error);
    });
  }

  push(frame: number, input: FrameInput, { replace }: PushOptions): void {
    if (this.#state !== 'open') {
      // Not within this call: listeners may rely on push returning first.
      if (this.#state !== 'closed') queueMicrotask(() => this.#listener.onDropped(frame, 'stale'));
      return;
    }
    const { width, height } = input.image ?? this.#start.parameters;
    const stream = this.#id;
    this.#links.post({ type: 'frame', stream, frame, replace, width, height, input }, memoryOf(input));
  }

  configure(parameters: StreamParameters): Promise<{ readonly from: number }> {
    const keep = (): void => void (this.#start = { ...this.#start, parameters });
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
  receive(message: MessageFromStream): boolean {
    if (this.#state === 'closed') return false;
    switch (message.type) {
      case 'answered':
      case 'refused':
        this.#requests.settle(message);
        break;
      case 'understood':
        this.#understood = message.prompts;
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
    controls,
    flagged = false,
  }: Extract<MessageFromStream, { type: 'result' }>): Promise<void> {
    const image = { width, height, data: new Uint8Array(pixels), timings, flagged };
    try {
      await this.#listener.onResult(frame, { ...image, ...(controls && { controls }) });
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
