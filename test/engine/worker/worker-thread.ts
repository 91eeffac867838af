import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { FromWorker, ToWorker, WorkerOptions } from '../../../src/engine/messages.js';
import { tinyModel } from '../../support/engine.js';
import { isKind, kindOf, type Kind, type Message } from './message-kind.js';

/** The engine's thread alone, and all messages that it posts. */
export class WorkerThread {
  readonly said: FromWorker[] = [];
  /** The exit code. */
  readonly ended: Promise<number>;
  readonly worker: Worker;
  stderr = '';

  constructor(file: URL, options: Partial<WorkerOptions> = {}, more: object = {}) {
    const usual = { model: tinyModel, device: 'cpu', threads: 1, cacheDirectory: null };
    this.worker = new Worker(file, { workerData: { ...usual, ...options, ...more }, stderr: true });
    this.worker.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.worker.on('message', (messages: readonly FromWorker[]) => this.said.push(...messages));
    this.ended = once(this.worker, 'exit').then(([code]) => code as number);
  }

  /** Returns all its messages of these kinds. */
  of<K extends Kind>(...kinds: readonly K[]): readonly Message<K>[] {
    return this.said.filter((message) => isKind(message, kinds));
  }

  /** Waits for the message of this kind that comes after `before` others of it. */
  async when<K extends Kind>(kind: K, before = 0): Promise<Message<K>> {
    for (;;) {
      const found = this.of(kind)[before];
      if (found) return found;
      await once(this.worker, 'message');
    }
  }

  send(...messages: readonly ToWorker[]): void {
    for (const message of messages) this.worker.postMessage(message);
  }

  /** @returns its messages of these kinds since `from`, in short: `result 3`. */
  brief(from: number, ...kinds: readonly Kind[]): readonly string[] {
    return this.said.slice(from).flatMap((message) => {
      const kind = kindOf(message);
      if (!kinds.includes(kind)) return [];
      return 'stream' in message ? [`${kind} ${message.stream}`] : [kind];
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.send({ type: 'stop' });
    await this.ended;
  }
}
