import type { MessagePort } from 'node:worker_threads';
import type { FromWorker } from '../messages.js';

/** Messages that nobody waits for. */
const patient: ReadonlySet<FromWorker['type']> = new Set(['recycle', 'inference', 'embedding']);

/**
 * Posts messages to the main thread, in order. To wake that thread takes as long as some of the work between two calls
 * of the device, so all messages up to the next turn of the event loop go together: before the next call of the device,
 * which begins in a later turn. Messages that nobody waits for go with the next others.
 */
export class Outbox {
  readonly #port: Pick<MessagePort, 'postMessage'>;
  #messages: FromWorker[] = [];
  #memory: ArrayBuffer[] = [];
  #isDue = false;

  constructor(port: Pick<MessagePort, 'postMessage'>) {
    this.#port = port;
  }

  post(message: FromWorker, transfer: readonly ArrayBuffer[] = []): void {
    this.#messages.push(message);
    this.#memory.push(...transfer);
    if (this.#isDue || patient.has(message.type)) return;
    this.#isDue = true;
    setImmediate(() => this.flush());
  }

  /** Posts at once what still waits. */
  flush(): void {
    this.#isDue = false;
    if (this.#messages.length === 0) return;
    this.#port.postMessage(this.#messages satisfies readonly FromWorker[], this.#memory);
    this.#messages = [];
    this.#memory = [];
  }
}
