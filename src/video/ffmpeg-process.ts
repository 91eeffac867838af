import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { platform } from 'node:process';
import { reasonIn, unwrittenIn } from './faults.js';
import { type Ffmpeg, VideoError } from './ffmpeg.js';

/** Characters of standard error kept from its beginning, which describes the files, and again from its end. */
const keptChars = 1 << 20;

/** A running ffmpeg. Disposal kills the process and waits until it has ended. */
export class FfmpegProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  /** Settles when it has ended. @throws {VideoError} with the reason if it failed. */
  readonly finished: Promise<void>;
  #begin = '';
  #end = '';

  /** @param level of its messages on standard error: `info` describes its input too. */
  constructor(
    { command: [program, ...first], signal }: Ffmpeg,
    args: readonly string[],
    stdio: StdioOptions,
    level: 'error' | 'info' = 'error',
  ) {
    this.child = spawn(program, [...first, '-hide_banner', '-nostats', '-v', level, ...args], {
      stdio,
      signal,
      killSignal: 'SIGKILL',
      // In a group of its own: Ctrl-C in a terminal must not end the file before all frames are in it.
      detached: platform !== 'win32',
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#keep(text));
    this.finished = new Promise((resolve, reject) => {
      this.child.on('error', (error) => reject(new VideoError(`ffmpeg does not run: ${error.message}`)));
      this.child.on('close', (code, signal) => {
        const unwritten = unwrittenIn(this.said);
        if (code === 0 && unwritten === undefined) resolve();
        else reject(new VideoError(unwritten ?? this.reason ?? ending(code, signal)));
      });
    });
    // If nothing awaits it, a failure must not be an unhandled rejection.
    this.finished.catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.finished.catch(() => {});
  }

  /** Its standard error so far. */
  get said(): string {
    return this.#end === '' ? this.#begin : `${this.#begin}\n${this.#end}`;
  }

  /** The line that best says what went wrong; undefined while there is none. */
  get reason(): string | undefined {
    return reasonIn(this.said);
  }

  #keep(text: string): void {
    const room = keptChars - this.#begin.length;
    this.#begin += text.slice(0, room);
    this.#end = (this.#end + text.slice(room)).slice(-keptChars);
  }
}

function ending(code: number | null, signal: string | null): string {
  return `ffmpeg ended with ${signal ?? `exit code ${code}`}`;
}
