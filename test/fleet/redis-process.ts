import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { findProgram } from '../ops/programs.js';
import { freePort } from '../support/free-port.js';

export const redis = findProgram('redis-server');

/** A real Redis that keeps nothing on disk. */
export class RedisProcess implements AsyncDisposable {
  readonly port: number;
  readonly #flags: readonly string[];
  #signal: (name: NodeJS.Signals) => void = () => {};
  #ended: Promise<unknown> = Promise.resolve();

  private constructor(port: number, flags: readonly string[]) {
    this.port = port;
    this.#flags = flags;
  }

  static async start(...flags: readonly string[]): Promise<RedisProcess> {
    const process = new RedisProcess(await freePort(), flags);
    await process.start();
    return process;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, again after `kill` and without what it had, and waits until it listens. */
  async start(): Promise<void> {
    const own = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const child = spawn(redis.path, [...own, ...this.#flags], { stdio: ['ignore', 'pipe', 'ignore'] });
    let output = '';
    child.stdout.on('data', (data: Buffer) => (output += data.toString()));
    const ended = once(child, 'close');
    this.#ended = ended;
    this.#signal = (name) => child.kill(name);
    while (!output.includes('Ready to accept connections')) {
      if (child.exitCode !== null) throw new Error(`Redis exited early: ${output}`);
      await pause(20);
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#signal(name);
  }

  async kill(): Promise<void> {
    this.#signal('SIGKILL');
    await this.#ended;
  }

  /** Sends one command without spaces in its arguments, and returns the raw answer. */
  async command(line: string): Promise<string> {
    const socket = connect(this.port, '127.0.0.1');
    socket.write(`${line}\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return answer.toString().trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
