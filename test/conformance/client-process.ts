import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Signal } from './signal.js';

/** A command to a client under test; README.md describes each. */
export type Command =
  | {
      readonly command: 'connect';
      readonly url: string;
      readonly parameters: object;
      readonly tokens?: readonly string[];
    }
  | {
      readonly command: 'send';
      readonly data: string;
      readonly mask?: string;
      readonly controls?: Readonly<Record<string, string>>;
    }
  | {
      readonly command: 'update';
      readonly tag: string;
      readonly parameters: object;
      readonly style_image?: string;
    }
  | { readonly command: 'hold' | 'release' | 'close' };

/** An event of a client under test: one line of JSON. */
export interface ClientEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** The program that drives the client under test, one process for each case. */
export class ClientProcess implements AsyncDisposable {
  readonly events: ClientEvent[] = [];
  readonly #child: ChildProcess;
  readonly #changed = new Signal();
  #errors = '';

  constructor([program = '', ...args]: readonly string[]) {
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const { stdout, stderr, stdin } = this.#child;
    if (stdout === null || stderr === null || stdin === null) throw new TypeError('no pipes');
    stdin.on('error', () => {});
    stderr.on('data', (text: Buffer) => (this.#errors += text.toString()));
    createInterface(stdout).on('line', (line) => {
      this.events.push(JSON.parse(line) as ClientEvent);
      this.#changed.notify();
    });
    this.#child.on('close', () => this.#changed.notify());
    this.#child.on('error', (error) => (this.#errors += error.message));
  }

  tell(command: Command): void {
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`);
  }

  all(event: string): readonly ClientEvent[] {
    return this.events.filter((other) => other.event === event);
  }

  /** Waits for the first event of that name that `wanted` accepts, which may have come already. */
  async first(
    event: string,
    wanted: (event: ClientEvent) => boolean = () => true,
    seconds?: number,
  ): Promise<ClientEvent> {
    const find = (): ClientEvent | undefined => {
      const found = this.all(event).find(wanted);
      if (found === undefined && this.#child.exitCode !== null) {
        throw new Error(`the client's program ended with ${this.#child.exitCode}: ${this.#errors}`);
      }
      return found;
    };
    return this.#changed.until(`the client's event ${event}`, find, seconds);
  }

  /** Waits until the program has exited. @returns its exit status. */
  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null) await once(this.#child, 'close');
    return this.#child.exitCode;
  }

  /** Pauses the process, or lets it continue. */
  freeze(frozen: boolean): void {
    this.#child.kill(frozen ? 'SIGSTOP' : 'SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await closed;
  }
}
