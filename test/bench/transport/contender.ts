import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { repositoryRoot } from '../../support/reference.js';
import type { Cargo } from './pass-through.js';
import type { Load, Passed } from './scene.js';

const fastApiServer = join(repositoryRoot, 'test/bench/transport/fastapi_server.py');

/** Resource usage of a process. */
interface Usage {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

/** One measurement. */
export interface Run extends Passed {
  /** CPU milliseconds of the server for one result. */
  readonly cpuMs: number;
  /** Frames a second. */
  readonly rate: number;
}

/** A server under measurement, in a separate process. */
export class Contender implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #url: string;
  readonly #usage: (url: string) => Promise<Usage>;

  private constructor(child: ChildProcess, url: string, usage: (url: string) => Promise<Usage>) {
    this.#child = child;
    this.#url = url;
    this.#usage = usage;
  }

  /** Starts Millrace without inference. @param flags for Node.js. */
  static async millrace(cargo: Cargo, flags: readonly string[] = []): Promise<Contender> {
    const script = fileURLToPath(new URL('server.js', import.meta.url));
    return Contender.#start(process.execPath, [...flags, script, cargo], millraceUsage);
  }

  /** Starts the FastAPI server. @param python with the requirements. @param args as in fastapi_server.py. */
  static async fastApi(python: string, ...args: readonly string[]): Promise<Contender> {
    return Contender.#start(python, [fastApiServer, ...args], fastApiUsage);
  }

  static async #start(
    program: string,
    args: readonly string[],
    usage: (url: string) => Promise<Usage>,
  ): Promise<Contender> {
    const child = spawn(program, [...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface(child.stdout)) {
      child.stdout.resume();
      return new Contender(child, line, usage);
    }
    throw new Error(`${args.join(' ')} exited before it was listening`);
  }

  get port(): number {
    return Number(new URL(this.#url).port);
  }

  usage(): Promise<Usage> {
    return this.#usage(this.#url);
  }

  /** Puts load on it. */
  async run(load: Omit<Load, 'port'>): Promise<Run> {
    const script = fileURLToPath(new URL('generator.js', import.meta.url));
    const generator = spawn(process.execPath, [script, JSON.stringify({ ...load, port: this.port })], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let before: Usage | undefined;
    for await (const line of createInterface(generator.stdout)) {
      if (line === 'started') {
        before = await this.usage();
        continue;
      }
      const passed = JSON.parse(line) as Passed;
      const after = await this.usage();
      const cpuSeconds = after.cpuSeconds - (before?.cpuSeconds ?? 0);
      return {
        ...passed,
        cpuMs: (1000 * cpuSeconds) / passed.results,
        rate: passed.results / passed.seconds,
      };
    }
    throw new Error('the load generator exited without a result');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM');
    await once(this.#child, 'exit');
  }
}

async function millraceUsage(url: string): Promise<Usage> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]);
  return {
    cpuSeconds: value('millrace_process_cpu_seconds_total'),
    residentBytes: value('millrace_process_resident_memory_bytes'),
  };
}

async function fastApiUsage(url: string): Promise<Usage> {
  const answer = (await (await fetch(`${url}/usage`)).json()) as Readonly<Record<string, number>>;
  return { cpuSeconds: answer['cpu_seconds'] ?? NaN, residentBytes: answer['resident_bytes'] ?? NaN };
}
