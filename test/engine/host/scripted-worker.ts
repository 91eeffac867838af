import { parentPort, workerData } from 'node:worker_threads';
import type { FromWorker, ToWorker, WorkerOptions } from '../../../src/engine/messages.js';

/** What the worker does, as JSON in place of the model folder. */
export interface Script {
  /** What it posts as it starts; with `only`, on that device alone. */
  readonly begin: readonly object[];
  /**
   * What it posts when a message of this type or question arrives; for frames also `frame 3`. The stream and the number
   * of the question are added.
   */
  readonly on?: Readonly<Record<string, readonly object[]>>;
  /** Whether it ignores a request to stop. */
  readonly deaf?: boolean;
}

// A worker without networks. It notes its options and each message, and dies at frame 13.
const { model, ...options } = workerData as WorkerOptions;
const { begin, on = {}, deaf = false } = JSON.parse(model) as Script;
let count = 0;

function post(messages: readonly object[] = [], about: object = {}): void {
  // JSON cannot hold memory: a number of pixels, all sevens, stands for it.
  for (const message of messages) {
    const { pixels, only } = message as { readonly pixels?: number; readonly only?: string };
    if (only !== undefined && only !== options.device) continue;
    const memory = new Uint8Array(pixels ?? 0).fill(7).buffer;
    parentPort?.postMessage([{ ...about, ...message, ...(pixels !== undefined && { pixels: memory }) }]);
  }
}

function note(what: object): void {
  const shown = JSON.stringify(what, (_, value: unknown) =>
    value instanceof ArrayBuffer || ArrayBuffer.isView(value) ? value.byteLength : value,
  );
  post([{ type: 'note', text: `${count++}: ${shown}` } satisfies FromWorker]);
}

note(options);
post(begin);
parentPort?.on('message', (message: ToWorker) => {
  if (message.type === 'stop') {
    post(on['stop']);
    if (!deaf) parentPort?.close();
    return;
  }
  note(message);
  if (message.type === 'ask') {
    const { stream, request, question } = message;
    return post(on[question], { stream, request });
  }
  post(on[message.type]);
  if (message.type !== 'frame') return;
  post(on[`frame ${message.frame}`]);
  if (message.frame === 13) throw new Error('struck by frame 13');
});
