import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** A video that cannot be read or written, or a missing ffmpeg; the message is one readable line. */
export class VideoError extends Error {
  override readonly name = 'VideoError';
}

export interface Ffmpeg {
  /** The program, and its arguments before ffmpeg's own options. */
  readonly command: readonly [string, ...string[]];
  /** Its name in messages: its path, or that it is the packaged one. */
  readonly label: string;
  /** Whether it is the packaged one, which lacks some features. */
  readonly isPackaged: boolean;
  /** Output option that leaves frames and their times unchanged; its name depends on the version. */
  readonly passthrough: readonly [string, string];
  /** Kills all its processes when aborted. */
  readonly signal: AbortSignal;
  /** Returns whether it was built with a filter or bit stream filter of this name. */
  has(kind: 'filters' | 'bsfs', name: string): Promise<boolean>;
}

/** Advice for an ffmpeg that is missing or lacks a feature. */
export const ffmpegAdvice = 'install a recent ffmpeg, or name one in MILLRACE_FFMPEG';

const packagedMain = fileURLToPath(new URL('packaged/main.js', import.meta.url));

/**
 * Finds ffmpeg: MILLRACE_FFMPEG, else `ffmpeg` on the PATH, else the one that comes as a package.
 * @throws {VideoError} if it does not run.
 */
export async function findFfmpeg(environment: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Ffmpeg> {
  const path = environment['MILLRACE_FFMPEG'] ?? (await searchPath(environment));
  const command = path === null ? ([process.execPath, packagedMain] as const) : ([path] as const);
  try {
    const help = await ask(command, ['-h', 'long']);
    const option = /^-fps_mode\b/m.test(help) ? '-fps_mode' : '-vsync';
    const lists = new Map<string, Promise<string>>();
    return {
      command,
      label: path ?? 'the ffmpeg that comes with Millrace',
      isPackaged: path === null,
      passthrough: [option, 'passthrough'],
      signal,
      async has(kind, name) {
        const list = lists.get(kind) ?? ask(command, [`-${kind}`]);
        lists.set(kind, list);
        return (await list).split(/\s+/).includes(name);
      },
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new VideoError(`ffmpeg does not run (${reason}): ${ffmpegAdvice}`, { cause: error });
  }
}

async function ask([program, ...first]: Ffmpeg['command'], args: readonly string[]): Promise<string> {
  const options = { maxBuffer: 1 << 26 };
  return (await promisify(execFile)(program, [...first, '-hide_banner', ...args], options)).stdout;
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

/** Makes an ffmpeg argument that can only be read as a path. */
export function fileArgument(path: string): string {
  return `file:${path}`;
}
