import { readFile } from 'node:fs/promises';
import type { TuningPicture } from '../../engine/tuning.js';
import { fitImage } from '../../image/fit.js';
import type { Size } from '../../image/image.js';
import type { ModelStyle } from '../../model/millrace-json.js';
import { packagePath } from '../../package.js';
import { decodeText } from '../../text/decode-text.js';
import { openFolder } from '../run/folder.js';
import { RunError } from '../run/run-error.js';

/** Pictures of the package, the first and every second one for the search. */
const ownPictures = packagePath('ops/models/pictures');

/** Prompts for models that name no styles. */
const ownPrompts = ['oil painting', 'pencil sketch', 'photo at sunset, warm light', 'watercolor of a street'];

/**
 * Reads the pictures and gives each a prompt, in turn.
 * @param options a folder of pictures and a file with a prompt on each line, instead of those of the package and model.
 * @throws {RunError} if there are too few pictures or no prompts.
 */
export async function readPictures(
  { width, height }: Size,
  styles: readonly ModelStyle[],
  options: { readonly pictures?: string; readonly prompts?: string },
): Promise<readonly TuningPicture[]> {
  const prompts = await readPrompts(styles, options.prompts);
  const input = await openFolder(options.pictures ?? ownPictures, { numerator: 1, denominator: 1 });
  const found: TuningPicture[] = [];
  for await (const { image } of input.frames()) {
    const { data } = await fitImage(image, { width, height }, 'cover');
    found.push({ pixels: new Uint8Array(data), prompt: prompts[found.length % prompts.length] ?? '' });
  }
  if (found.length < 2)
    throw new RunError(
      `${options.pictures ?? ownPictures} must hold at least 2 pictures: every second one is kept for the report`,
    );
  return found;
}

async function readPrompts(styles: readonly ModelStyle[], file?: string): Promise<readonly string[]> {
  if (file === undefined) return styles.length > 0 ? styles.map(({ prompt }) => prompt) : ownPrompts;
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new RunError(`${file} cannot be read; --prompts names a text file with a prompt on each line`, {
      cause: error,
    });
  });
  const lines = decodeText(bytes)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length === 0) throw new RunError(`${file} has no prompts; write one on each line`);
  return lines;
}
