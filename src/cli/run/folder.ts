import { readdir } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { timebaseOf, type Rational } from '../../video/timing.js';
import type { Input } from './input.js';
import { namesOf } from './pattern.js';
import { RunError } from './run-error.js';
import { readStill } from './still.js';

const pictureExtensions: ReadonlySet<string> = new Set([
  '.jpg',
  '.jpeg',
  '.png',
  '.webp',
  '.avif',
  '.heic',
  '.heif',
]);

/** Most file names that a message lists. */
const maxNamed = 3;

/** Opens the pictures whose names fit a pattern, in the order of their numbers. @throws {RunError} if there are none. */
export async function openPattern(pattern: string, rate: Rational): Promise<Input> {
  const names = namesOf(pattern);
  return openPictures(pattern, dirname(pattern), rate, (name) => names.test(name));
}

/**
 * Opens the pictures of a folder by name, 2.jpg before 10.jpg. Files that cannot be read as pictures are
 * passed over, since folders often hold other things too.
 * @throws {RunError} if no file is named like a picture.
 */
export async function openFolder(folder: string, rate: Rational): Promise<Input> {
  return openPictures(folder, folder, rate, () => true);
}

async function openPictures(
  path: string,
  folder: string,
  rate: Rational,
  isWanted: (name: string) => boolean,
): Promise<Input> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new RunError(`the folder of ${path} cannot be read`, { cause: error });
  });
  const { compare } = new Intl.Collator('en', { numeric: true });
  const names = entries
    .map(({ name }) => name)
    .filter(isWanted)
    .sort(compare);
  // Reading a named pipe would never end.
  const files = new Set(
    entries.filter((entry) => entry.isFile() || entry.isSymbolicLink()).map(({ name }) => name),
  );
  const isPicture = (name: string): boolean =>
    files.has(name) && pictureExtensions.has(extname(name).toLowerCase());
  const candidates = names.filter(isPicture);
  const passedOver = names.filter((name) => !isPicture(name));
  if (candidates.length === 0) {
    throw new RunError(`there is no JPEG, PNG, WebP or AVIF image in ${path}${inBrackets(passedOver)}`);
  }
  return {
    kind: 'folder',
    path,
    total: candidates.length,
    isLive: false,
    video: null,
    last: null,
    timebase: timebaseOf(rate),
    rate,
    passedOver,
    async *frames() {
      let time = 0;
      let failure: RunError | null = null;
      for (const name of candidates) {
        try {
          yield { image: await readStill(join(folder, name)), time: time++, name };
        } catch (error) {
          if (!(error instanceof RunError)) throw error;
          failure ??= error;
          passedOver.push(name);
        }
      }
      if (time === 0 && failure) {
        throw new RunError(`no picture in ${path} can be read: ${failure.message}`, { cause: failure });
      }
    },
  };
}

/** ` (passed over 3 files: a, b, c)`, or nothing without names. */
function inBrackets(names: readonly string[]): string {
  return names.length === 0 ? '' : ` (passed over ${countedNames(names)})`;
}

/** `5 files: a, b, c and 2 more`. */
export function countedNames(names: readonly string[]): string {
  const first = names.slice(0, maxNamed).map((name) => basename(name));
  const more = names.length > maxNamed ? ` and ${names.length - maxNamed} more` : '';
  return `${names.length} ${names.length === 1 ? 'file' : 'files'}: ${first.join(', ')}${more}`;
}
