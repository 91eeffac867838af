import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { encodeImage } from '../../image/encode.js';
import type { ImageFormat } from '../../image/format.js';
import { noTracks, type Output, type OutputOptions } from './output.js';
import { numberedName } from './pattern.js';
import { RunError } from './run-error.js';

/** The formats of pictures that can be written, by the extension of their names. */
const formats: Readonly<Record<string, ImageFormat>> = {
  '.jpg': 'jpeg',
  '.jpeg': 'jpeg',
  '.png': 'png',
  '.webp': 'webp',
};

/** Extensions of the pictures that can be written. */
export const pictureExtensions: readonly string[] = Object.keys(formats);

/** Returns the message for an output that cannot hold all frames. */
export function onlyOne(path: string): string {
  return `${path} is one picture, but the input has more; choose a video file or a folder`;
}

/** One picture. @param part where it is written first. */
export function openPicture(path: string, part: string, { quality }: OutputOptions): Output {
  const format = formats[extname(path).toLowerCase()] ?? 'jpeg';
  let count = 0;
  return {
    tracks: noTracks,
    notes: [],
    async write(image) {
      count += 1;
      if (count > 1) throw new RunError(onlyOne(path));
      await writeFile(part, await encodeImage(image, format, quality));
    },
    finish: () => rename(part, path),
    [Symbol.asyncDispose]: () => rm(part, { force: true }),
  };
}

/**
 * A folder of pictures: they keep their names; frames of a video are numbered from 000001.jpg on.
 * @param part where they are written first. @param pattern of their names instead, such as `%04d.png`.
 */
export function openFolder(
  path: string,
  part: string,
  { quality }: OutputOptions,
  pattern: string | null = null,
): Output {
  let count = 0;
  const nameOf = (own: string | null): string => {
    count += 1;
    if (pattern !== null) return numberedName(pattern, count) ?? pattern;
    return own === null ? `${String(count).padStart(6, '0')}.jpg` : writableName(own);
  };
  return {
    tracks: noTracks,
    notes: [],
    async write(image, frame) {
      const name = nameOf(frame.name);
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
