import type { MessagePort } from 'node:worker_threads';
import type { FromWorker } from '../messages.js';
import type { Post } from './streams/post.js';

/** Messages that nobody waits for. */
const patient: ReadonlySet<FromWorker['type']> = new Set(['recycle', 'inference', 'embedding']);

/**
 * Posts messages to the main thread, in order. To wake that thread takes as long as some of the work between two calls
 * of the device, so messages that nobody waits for go with the next one.
 */
export class Outbox {
  readonly #port: Pick<MessagePort, 'postMessage'>;
  #messages: FromWorker[] = [];
  #memory: ArrayBuffer[] = [];

  constructor(port: Pick<MessagePort, 'postMessage'>) {
    this.#port = port;
  }

  readonly post: Post = (message, transfer = []) => {
    this.#messages.push(message);
    this.#memory.push(...transfer);
    if (!patient.has(message.type)) this.flush();
  };

  /** Posts what still waits. */
  flush(): void {
    if (this.#messages.length === 0) return;
    this.#port.postMessage(this.#messages satisfies readonly FromWorker[], this.#memory);
    this.#messages = [];
    this.#memory = [];
  }
}
