import { randomUUID } from 'node:crypto';
import { mkdir, readdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, extname, join, normalize, resolve } from 'node:path';
import { encodeImage } from '../../image/encode.js';
import type { ImageFormat } from '../../image/format.js';
import type { Image } from '../../image/image.js';
import { fileArgument, ffmpegAdvice, type Ffmpeg, VideoError } from '../../video/ffmpeg.js';
import { containerOf, videoExtensions } from '../../video/containers.js';
import { type LeftTrack, type PlannedTrack, planTracks } from '../../video/tracks.js';
import { keepsLastDuration, VideoWriter } from '../../video/write.js';
import type { Input } from './input.js';
import { RunError } from './run-error.js';

/** The target of generated frames. Disposal before `finish` leaves nothing behind. */
export interface Output extends AsyncDisposable {
  /** Writes the next frame; its memory may be changed once the promise has settled. */
  write(image: Image, frame: { readonly time: number; readonly name: string | null }): Promise<void>;
  /** Moves the written files to their place. */
  finish(): Promise<void>;
  /** The sound and other tracks of a video, kept or left out. */
  readonly tracks: { readonly kept: readonly PlannedTrack[]; readonly left: readonly LeftTrack[] };
  /** Remarks on the output for the user. */
  readonly notes: readonly string[];
}

const noTracks = { kept: [], left: [] };

export interface OutputOptions {
  readonly input: Input;
  /** Called only if ffmpeg is needed. */
  readonly ffmpeg: () => Promise<Ffmpeg>;
  readonly overwrite: boolean;
  /** Quality of the video, null for the default of its format. */
  readonly crf: number | null;
  /** Quality of JPEG and WebP images, 1 to 100. */
  readonly quality: number;
}

const formats: Readonly<Record<string, ImageFormat>> = {
  '.jpg': 'jpeg',
  '.jpeg': 'jpeg',
  '.png': 'png',
  '.webp': 'webp',
};

/**
 * Opens a video file or a picture by the extension of its name, or a folder of pictures.
 * Everything is first written beside its place, so that no incomplete output is ever there.
 * @throws {RunError | VideoError}
 */
export async function openOutput(target: string, options: OutputOptions): Promise<Output> {
  const path = normalize(target).replace(/[/\\]$/, '');
  const extension = extname(path).toLowerCase();
  await check(path, extension, options);
  // Not derived from the output's name, which may already have the greatest length.
  const name = join(dirname(path), `.millrace-${process.pid}-${randomUUID().slice(0, 8)}.part`);
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
  if (extension in formats) return openPicture(path, await reserveFile(name + extension, path), options);
  return openFolder(path, await reserveFolder(name, path), options);
}

async function check(path: string, extension: string, { input, overwrite }: OutputOptions): Promise<void> {
  const isVideo = videoExtensions.includes(extension);
  const isPicture = extension in formats;
  if (isPicture && (input.kind === 'folder' || input.total > 1)) {
    throw new RunError(`${path} is one picture, but the input has more; choose a video file or a folder`);
  }
  const found = await stat(path).catch(() => null);
  if (!found) {
    if (isVideo || isPicture || !/^\.[a-z]/.test(extension)) return;
    const known = [...videoExtensions, ...Object.keys(formats)].join(' ');
    throw new RunError(`${path}: unknown type of output; known are ${known}`);
  }
  if (found.isDirectory() === (isVideo || isPicture)) {
    const what = found.isDirectory() ? 'folder' : 'file';
    throw new RunError(`${path} is a ${what} already; choose another name for the output`);
  }
  if ((await realpath(path)) === (await realpath(input.path))) {
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
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') {
      throw new RunError(`there is no folder ${dirname(resolve(path))}`, { cause: error });
    }
    throw new RunError(`${path} cannot be written (${String(code)})`, { cause: error });
  }
}

async function openVideo(
  path: string,
  part: string,
  ffmpeg: Ffmpeg,
  { input, crf }: OutputOptions,
): Promise<Output> {
  const { timebase, rate, video } = input;
  const tracks = video ? await planTracks(ffmpeg, video, part) : noTracks;
  const keepsLast = rate !== null || (await keepsLastDuration(ffmpeg));
  const last = keepsLast ? input.last : null;
  const notes = [
    ...(keepsLast ? [] : [`the last frame is cut short: ${ffmpeg.label} is too old; ${ffmpegAdvice}`]),
    ...(video?.timecode && !rate ? ['the timecode was left out: it needs a constant frame rate'] : []),
    ...[containerOf(path).video(crf, ffmpeg).note ?? []].flat(),
  ];
  let writer: VideoWriter | null = null;
  const nameOutput = (error: unknown): never => {
    if (!(error instanceof VideoError)) throw error;
    const reason = error.message.replaceAll(fileArgument(part), 'the file').replaceAll(part, 'the file');
    throw new VideoError(`${path} cannot be written: ${reason}`, { cause: error });
  };
  return {
    tracks,
    notes,
    async write(image, { time }) {
      const { width, height } = image;
      const source = video && { source: video, kept: tracks.kept, timecode: video.timecode };
      const start = time;
      const options = { path: part, width, height, timebase, rate, start, last, crf, tracks: source };
      writer ??= new VideoWriter(ffmpeg, options);
      await writer.write(image, time).catch(nameOutput);
    },
    async finish() {
      await writer?.finish().catch(nameOutput);
      await rename(part, path);
    },
    async [Symbol.asyncDispose]() {
      await writer?.[Symbol.asyncDispose]();
      await rm(part, { force: true });
    },
  };
}

function openPicture(path: string, part: string, { quality }: OutputOptions): Output {
  const format = formats[extname(path).toLowerCase()] ?? 'jpeg';
  return {
    tracks: noTracks,
    notes: [],
    async write(image) {
      await writeFile(part, await encodeImage(image, format, quality));
    },
    finish: () => rename(part, path),
    [Symbol.asyncDispose]: () => rm(part, { force: true }),
  };
}

/** Pictures keep their names; frames of a video are numbered from 000001.jpg on. */
function openFolder(path: string, part: string, { quality }: OutputOptions): Output {
  let count = 0;
  return {
    tracks: noTracks,
    notes: [],
    async write(image, frame) {
      const name = frame.name === null ? `${String(++count).padStart(6, '0')}.jpg` : writableName(frame.name);
      const format = formats[extname(name).toLowerCase()] ?? 'jpeg';
      await writeFile(join(part, name), await encodeImage(image, format, quality));
    },
    async finish() {
      await mkdir(path, { recursive: true });
      for (const name of await readdir(part)) await rename(join(part, name), join(path, name));
    },
    [Symbol.asyncDispose]: () => rm(part, { recursive: true, force: true }),
  };
}

/** Pictures of formats that cannot be written become JPEGs, and their names say so. */
function writableName(name: string): string {
  if (extname(name).toLowerCase() in formats) return name;
  const longest = 255 - '.jpg'.length;
  let stem = name;
  while (Buffer.byteLength(stem) > longest) stem = stem.slice(0, -1);
  return `${stem}.jpg`;
}
