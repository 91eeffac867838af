import type { ParameterUpdate, StreamParameters } from '@millrace/protocol';
import type { MillraceError } from './errors.js';

/** The answer to an update: in force from the result of input frame `from` on. */
export interface Update {
  readonly from: number;
  readonly parameters: StreamParameters;
}

interface PendingUpdate {
  readonly parameters: ParameterUpdate;
  readonly resolve: (update: Update) => void;
  readonly reject: (error: MillraceError) => void;
}

type Send = (request: number, parameters: ParameterUpdate) => void;

/** Updates that wait for their answers, by request number. */
export class Updates {
  readonly #pending = new Map<number, PendingUpdate>();
  #chosen: ParameterUpdate;
  #next = 0;

  /** @param start what the stream was opened with. */
  constructor(start: ParameterUpdate) {
    this.#chosen = start;
  }

  /** All that was set on the stream: a new one that is given this is as this one. */
  get chosen(): ParameterUpdate {
    return this.#chosen;
  }

  /** Takes a new request number, has the request sent, and waits for its answer. */
  open(parameters: ParameterUpdate, send: Send): Promise<Update> {
    const request = this.#next++;
    return new Promise((resolve, reject) => {
      this.#pending.set(request, { parameters, resolve, reject });
      try {
        send(request, parameters);
      } catch (error) {
        // What cannot be encoded is not tried again over another connection.
        this.#pending.delete(request);
        throw error;
      }
    });
  }

  /** Has all that wait sent again, in their order: their answers may be lost. Doing it twice changes nothing. */
  repeat(send: Send): void {
    for (const [request, { parameters }] of this.#pending) send(request, parameters);
  }

  resolve(request: number, update: Update): void {
    const pending = this.#pending.get(request);
    this.#pending.delete(request);
    if (pending === undefined) return;
    this.#chosen = { ...this.#chosen, ...pending.parameters };
    pending.resolve(update);
  }

  /** @returns whether an update with that number waited. */
  reject(request: number, error: MillraceError): boolean {
    this.#pending.get(request)?.reject(error);
    return this.#pending.delete(request);
  }

  rejectAll(error: MillraceError): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}
