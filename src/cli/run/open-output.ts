import { randomUUID } from 'node:crypto';
import { mkdir, readdir, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, normalize, resolve } from 'node:path';
import { videoExtensions } from '../../video/containers.js';
import { codeOf } from '../error-code.js';
import type { Output, OutputOptions } from './output.js';
import { isPattern, numberedName } from './pattern.js';
import { onlyOne, openFolder, openPicture, pictureExtensions } from './picture-output.js';
import { RunError } from './run-error.js';
import { isStreamOutput, openStreamOutput } from './stream-output.js';
import { openVideo } from './video-output.js';

/**
 * Opens a video file or a picture by the extension of its name, a folder of pictures, or a stream. All files are first
 * written beside their place, so that no incomplete output is ever there.
 * @throws {RunError | VideoError}
 */
export async function openOutput(target: string, options: OutputOptions): Promise<Output> {
  if (isStreamOutput(target)) return openStreamOutput(target, options);
  if (options.format !== undefined) throw new RunError('--output-format is for standard output (-o -)');
  if (isPattern(target)) return openNumbered(target, options);
  const path = normalize(target).replace(/[/\\]$/, '');
  const extension = extname(path).toLowerCase();
  await check(path, extension, options);
  const name = partName(path);
  if (videoExtensions.includes(extension)) {
    const ffmpeg = await options.ffmpeg();
    const part = await reserveFile(name + extension, path);
    try {
      return await openVideo(path, part, ffmpeg, options);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  }
  if (pictureExtensions.includes(extension))
    return openPicture(path, await reserveFile(name + extension, path), options);
  return openFolder(path, await reserveFolder(name, path), options);
}

/** Opens a folder of pictures whose names are given by a pattern, such as `frames/%04d.png`. */
async function openNumbered(pattern: string, options: OutputOptions): Promise<Output> {
  const name = numberedName(pattern, 1);
  const extension = extname(pattern).toLowerCase();
  if (name === null || !pictureExtensions.includes(extension)) {
    const known = pictureExtensions.join(' ');
    throw new RunError(`${pattern} must have one %d, such as %04d, and end in one of ${known}`);
  }
  const path = dirname(resolve(pattern));
  const first = join(path, name);
  if (!options.overwrite && (await stat(first).catch(() => null))) {
    throw new RunError(`${first} exists; add --overwrite to replace it`);
  }
  return openFolder(path, await reserveFolder(partName(path), path), options, basename(pattern));
}

/** Returns a name beside the output; its own may already have the greatest length. */
function partName(path: string): string {
  return join(dirname(path), `.millrace-${process.pid}-${randomUUID().slice(0, 8)}.part`);
}

async function check(path: string, extension: string, { input, overwrite }: OutputOptions): Promise<void> {
  const isVideo = videoExtensions.includes(extension);
  const isPicture = pictureExtensions.includes(extension);
  if (isPicture && (input.kind === 'folder' || (input.total ?? 1) > 1)) {
    throw new RunError(onlyOne(path));
  }
  const found = await stat(path).catch(() => null);
  if (!found) {
    if (isVideo || isPicture || !/^\.[a-z]/.test(extension)) return;
    const known = [...videoExtensions, ...pictureExtensions].join(' ');
    throw new RunError(`${path}: unknown type of output; known are ${known}`);
  }
  if (found.isDirectory() === (isVideo || isPicture)) {
    const what = found.isDirectory() ? 'folder' : 'file';
    throw new RunError(`${path} is a ${what} already; choose another name for the output`);
  }
  if ((await realpath(path)) === (await realpath(input.path).catch(() => null))) {
    throw new RunError(`the output ${path} is the input`);
  }
  const isEmpty = found.isDirectory() && (await readdir(path)).length === 0;
  if (!isEmpty && !overwrite) throw new RunError(`${path} exists; add --overwrite to replace it`);
}

/** Checks before the work starts that the output can be written. */
function reserveFile(part: string, path: string): Promise<string> {
  return reserve(part, path, () => writeFile(part, '', { flag: 'wx' }));
}

function reserveFolder(part: string, path: string): Promise<string> {
  return reserve(part, path, () => mkdir(part));
}

async function reserve(part: string, path: string, create: () => Promise<void>): Promise<string> {
  try {
    await create();
    return part;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') {
      throw new RunError(`there is no folder ${dirname(resolve(path))}`, { cause: error });
    }
    throw new RunError(`${path} cannot be written (${code})`, { cause: error });
  }
}
