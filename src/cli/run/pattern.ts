import { basename } from 'node:path';

/** A number in a file name, with or without leading zeros (`%d`, `%04d`), or any text (`*`). */
const wildcard = /(%(?:0\d)?d|\*)/;

/** Returns whether a path names many pictures, as `frames/%04d.png` and `frames/*.jpg` do. */
export function isPattern(path: string): boolean {
  return wildcard.test(basename(path));
}

/** Returns what the file names of a pattern look like. */
export function namesOf(pattern: string): RegExp {
  // Every second part is a wildcard.
  const parts = basename(pattern)
    .split(wildcard)
    .map((part, index) => {
      if (index % 2 === 0)
        return part.replaceAll(/[^\w]/g, (letter) => `\\u{${letter.codePointAt(0)?.toString(16)}}`);
      return part === '*' ? '.*' : String.raw`\d+`;
    });
  return new RegExp(`^${parts.join('')}$`, 'su');
}

/** Returns the file name of a pattern with this number; null if the pattern has no place for one. */
export function numberedName(pattern: string, number: number): string | null {
  const [before, place, after, ...more] = basename(pattern).split(wildcard);
  if (before === undefined || place === undefined || place === '*' || more.length > 0) return null;
  return `${before}${String(number).padStart(Number(place.slice(1, -1)), '0')}${after}`;
}
