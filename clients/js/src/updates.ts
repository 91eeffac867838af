import type { ParameterUpdate, StreamParameters, UnderstoodPrompt } from '@millrace/protocol';
import type { MillraceError } from './errors.js';

/** The answer to an update: parameters in force from the result of input frame `from` on. */
export interface Update {
  readonly from: number;
  readonly parameters: StreamParameters;
  /** What the model made of each prompt; absent if the server does not say. */
  readonly understood?: readonly UnderstoodPrompt[];
}

interface PendingUpdate {
  readonly parameters: ParameterUpdate;
  readonly resolve: (update: Update) => void;
  readonly reject: (error: MillraceError) => void;
}

type Send = (request: number, parameters: ParameterUpdate) => void;

/** Unanswered updates by request number, and the parameters that were set on the stream. */
export class Updates {
  readonly #pending = new Map<number, PendingUpdate>();
  #chosen: ParameterUpdate;
  #next = 0;

  /** @param start the initial parameters of the stream. */
  constructor(start: ParameterUpdate) {
    this.#chosen = start;
  }

  /** All parameters that were set on the stream; a new stream needs the same. */
  get chosen(): ParameterUpdate {
    return this.#chosen;
  }

  /** Sends an update with a new request number, and waits for its answer. */
  open(parameters: ParameterUpdate, send: Send): Promise<Update> {
    const request = this.#next++;
    return new Promise((resolve, reject) => {
      this.#pending.set(request, { parameters, resolve, reject });
      try {
        send(request, parameters);
      } catch (error) {
        // An update that cannot be encoded must not be sent again over another connection.
        this.#pending.delete(request);
        throw error;
      }
    });
  }

  /** Sends all unanswered updates again, in order: their answers may be lost. Applying one twice does no harm. */
  repeat(send: Send): void {
    for (const [request, { parameters }] of this.#pending) send(request, parameters);
  }

  resolve(request: number, update: Update): void {
    const pending = this.#pending.get(request);
    this.#pending.delete(request);
    if (pending === undefined) return;
    const { style_image: image, ...others } = pending.parameters;
    // A new stream does not know the name that this one has for the picture that was set before.
    const isName = typeof image === 'string' && image.startsWith('sha256:');
    this.#chosen = { ...this.#chosen, ...(isName ? others : pending.parameters) };
    pending.resolve(update);
  }

  /** @returns whether an update with that number was unanswered. */
  reject(request: number, error: MillraceError): boolean {
    this.#pending.get(request)?.reject(error);
    return this.#pending.delete(request);
  }

  rejectAll(error: MillraceError): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}
