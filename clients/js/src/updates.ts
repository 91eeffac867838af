import type { StreamParameters } from '@millrace/protocol';
import type { MillraceError } from './errors.js';

/** The answer to an update: in force from the result of input frame `from` on. */
export interface Update {
  readonly from: number;
  readonly parameters: StreamParameters;
}

interface PendingUpdate {
  readonly resolve: (update: Update) => void;
  readonly reject: (error: MillraceError) => void;
}

/** Updates that wait for their answers, by request number. */
export class Updates {
  readonly #pending = new Map<number, PendingUpdate>();
  #next = 0;

  /** Takes a new request number, has the request sent, and waits for its answer. */
  open(send: (request: number) => void): Promise<Update> {
    const request = this.#next++;
    return new Promise((resolve, reject) => {
      this.#pending.set(request, { resolve, reject });
      send(request);
    });
  }

  resolve(request: number, update: Update): void {
    this.#pending.get(request)?.resolve(update);
    this.#pending.delete(request);
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
