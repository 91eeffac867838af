import { parentPort, workerData } from 'node:worker_threads';
import type { ToWorker } from '../../../src/engine/messages.js';
import { Outbox } from '../../../src/engine/worker/outbox.js';
import { kindOf, type Kind } from './message-kind.js';

/** By how many milliseconds each message of the worker advances its clock, which otherwise stands still. */
export type Steps = Partial<Readonly<Record<Kind, number>>>;

// The engine's worker, with a clock that only its own messages move once it is ready, so that a test decides how long
// work takes. It receives lists of messages, each list as a whole.
const { steps = {} } = workerData as { readonly steps?: Steps };
const port = parentPort;
if (port === null) throw new Error('this file runs in a worker thread');
const listen = port.on.bind(port);
let clock = 1e6;
Object.assign(port, {
  on: (event: string, listener: (message: ToWorker) => void) =>
    listen(event, (messages: readonly ToWorker[]) => {
      for (const message of messages) listener(message);
    }),
});
const post = Reflect.get<Outbox, 'post'>(Outbox.prototype, 'post');
Outbox.prototype.post = function (message, transfer) {
  if (message.type === 'ready') performance.now = () => clock;
  clock += steps[kindOf(message)] ?? 0;
  post.call(this, message, transfer);
};
await import('../../../src/engine/worker/main.js');
