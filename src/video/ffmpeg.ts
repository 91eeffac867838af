import { execFile, spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

/** A video that cannot be read or written, or no ffmpeg to do it; the message is one line for people. */
export class VideoError extends Error {
  override readonly name = 'VideoError';
}

export interface Ffmpeg {
  /** Path of the program. */
  readonly path: string;
  /** Output option that keeps each frame and its time as they are; its name depends on the version. */
  readonly passthrough: readonly [string, string];
  /** Ends all its processes when it is aborted. */
  readonly signal: AbortSignal;
}

/**
 * Finds ffmpeg: MILLRACE_FFMPEG, else `ffmpeg` on the PATH, else the one that comes as a package.
 * @throws {VideoError} when there is none or it does not run.
 */
export async function findFfmpeg(environment: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Ffmpeg> {
  const path = environment['MILLRACE_FFMPEG'] ?? (await searchPath(environment)) ?? (await packaged());
  const advice = 'install ffmpeg, or name one in MILLRACE_FFMPEG';
  if (path === null) throw new VideoError(`there is no ffmpeg for this system: ${advice}`);
  try {
    const { stdout } = await promisify(execFile)(path, ['-hide_banner', '-h', 'long'], {
      maxBuffer: 1 << 26,
    });
    const option = /^-fps_mode\b/m.test(stdout) ? '-fps_mode' : '-vsync';
    return { path, passthrough: [option, 'passthrough'], signal };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new VideoError(`ffmpeg does not run (${reason}): ${advice}`, { cause: error });
  }
}

async function searchPath(environment: NodeJS.ProcessEnv): Promise<string | null> {
  const file = process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg';
  for (const folder of (environment['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, file);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (folder !== '' && found) return path;
  }
  return null;
}

async function packaged(): Promise<string | null> {
  try {
    return (await import('@ffmpeg-installer/ffmpeg')).default.path;
  } catch {
    // It has no program for this system.
    return null;
  }
}

/** A running ffmpeg. Disposing of it ends the process and waits for its end. */
export class FfmpegProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  /** Settles when it has ended. @throws {VideoError} with its last words if it failed. */
  readonly finished: Promise<void>;
  #errors = '';

  constructor({ path, signal }: Ffmpeg, args: readonly string[], stdio: StdioOptions) {
    this.child = spawn(path, ['-hide_banner', '-nostats', '-v', 'error', ...args], {
      stdio,
      signal,
      killSignal: 'SIGKILL',
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-4000);
    });
    this.finished = new Promise((resolve, reject) => {
      this.child.on('error', (error) => reject(new VideoError(`ffmpeg does not run: ${error.message}`)));
      this.child.on('close', (code, signal) => {
        if (code === 0) resolve();
        else reject(new VideoError(this.lastWords ?? `ffmpeg ended with ${signal ?? `exit code ${code}`}`));
      });
    });
    // Whoever waits for it hears of a failure; nobody else needs to.
    this.finished.catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.finished.catch(() => {});
  }

  /** Its last line, without the address of the part of it that speaks; undefined as long as it found no fault. */
  get lastWords(): string | undefined {
    const lines = this.#errors.split('\n').map((line) => line.replace(/^\[.*? @ 0x\w+\] /, '').trim());
    return lines.findLast((line) => line !== '');
  }
}

/** Makes a path an ffmpeg argument that is taken for nothing but a path. */
export function fileArgument(path: string): string {
  return `file:${path}`;
}
