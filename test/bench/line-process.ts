import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/**
 * A program that prints a line of JSON when it is ready, and one for each line that it reads. It is idle between them,
 * and ends with its input.
 */
export class LineProcess implements AsyncDisposable {
  readonly #name: string;
  readonly #process: ChildProcess;
  readonly #input: Writable;
  readonly #lines: AsyncIterator<string>;

  private constructor(name: string, process: ChildProcess, input: Writable, lines: AsyncIterator<string>) {
    this.#name = name;
    this.#process = process;
    this.#input = input;
    this.#lines = lines;
  }

  /**
   * Starts a program and waits for its first line.
   * @param name of the program in messages.
   * @throws {Error} if it ends before.
   */
  static async start(
    name: string,
    [program, ...args]: readonly [string, ...string[]],
    env: NodeJS.ProcessEnv,
  ): Promise<{ readonly process: LineProcess; readonly first: unknown }> {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
    const [input, output]: readonly [Writable, Readable] = [child.stdin, child.stdout];
    // A program that has ended says so by the end of its output.
    input.on('error', () => {});
    const lines = createInterface(output)[Symbol.asyncIterator]();
    const process = new LineProcess(name, child, input, lines);
    return { process, first: await process.#next() };
  }

  /** Sends a line and returns the answer. @throws {Error} if the program ends before. */
  async ask(question: unknown): Promise<unknown> {
    this.#input.write(`${JSON.stringify(question)}\n`);
    return this.#next();
  }

  async #next(): Promise<unknown> {
    const line: IteratorResult<string, unknown> = await this.#lines.next();
    if (line.done) throw new Error(`${this.#name} exited early; see above`);
    return JSON.parse(line.value) as unknown;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#input.end();
    await once(this.#process, 'exit');
  }
}
