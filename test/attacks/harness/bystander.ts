import type { ChildProcess } from 'node:child_process';
import type { BystanderPlan } from '../attack.js';
import { endOf, nextMessage, startChild } from './child.js';

/** The first message to the process of the bystander. */
export interface BystanderOrder {
  readonly url: string;
  readonly parameters: BystanderPlan['parameters'];
  readonly token: string | undefined;
}

/** What happened to the bystander, and when (`Date.now()`). */
export interface BystanderEvent {
  readonly what: string;
  readonly time: number;
}

/** The client whose frames are counted, in a separate process. */
export class Bystander implements AsyncDisposable {
  readonly events: BystanderEvent[] = [];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (event) => this.events.push(event as BystanderEvent));
  }

  /** Starts the process and waits until its stream is open. */
  static async start(order: BystanderOrder): Promise<Bystander> {
    const bystander = new Bystander(startChild('bystander-process.js'));
    bystander.#child.send(order);
    await nextMessage(bystander.#child);
    return bystander;
  }

  /** @param fps frames a second that it sends from now on; null for as many as it can. */
  pace(fps: number | null): void {
    this.#child.send({ fps });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await endOf(this.#child);
  }
}
