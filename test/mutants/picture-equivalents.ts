import type { Equivalent } from './equivalents.js';

/** Equivalents in the reading of pictures and in noise levels. */
export const pictureEquivalents: readonly Equivalent[] = [
  {
    file: 'src/image/png.ts',
    change: 'needed.toSpliced(1, 0, ...colours) -> needed.toSpliced(1, (-1), ...colours)',
    reason: 'Neither removes anything.',
  },
  {
    file: 'src/image/fit.ts',
    change: 'fastest = false -> fastest = true',
    reason: 'The default is for pixels in memory, which have no decoder to be fast.',
  },
  {
    file: 'src/image/png.ts',
    change: /^content\[(?:8|9)\] \?\? [01] -> \(?content/,
    reason: 'A header without it is refused for its length.',
  },
  {
    file: 'src/image/jpeg.ts',
    change: /^(?:at|end) < 0 -> (?:at|end) (?:<= 0|< 1)$/,
    reason: 'The position is never the start of the file, where the first marker is.',
  },
  {
    file: 'src/image/exif.ts',
    change: /^view\.byteLength < 8 -> view\.byteLength (?:<= 8|< 9)$/,
    reason: 'A file that is only a header has no room for a directory.',
  },
  {
    file: 'src/image/exif.ts',
    source: 'if (view.getUint16(2, little) !== 42 || directory + 2 > view.byteLength) return 1;',
    change: /^directory \+ 2 (?:-> directory \+ 3|> view\.byteLength -> directory \+ 2 >= )/,
    reason: 'A directory at the very end has no entries.',
  },
  {
    file: 'src/image/animation.ts',
    change: /^delay\[index\] \?\? 0 -> (?!\(0\)$)/,
    reason: 'The index is within the array: the fallback only satisfies the compiler.',
  },
  {
    file: 'src/diffusion/solvers/paths/sigmas.ts',
    change: 'candidate > logSigma -> candidate >= logSigma',
    reason: 'The end of one part is the start of the next.',
  },
  {
    file: 'src/diffusion/solvers/paths/beta-quantile.ts',
    change:
      /^(?:turn < 60 -> turn <= 60|n <= 60 -> n < 60|incompleteBeta\(middle, shape\) < wanted -> .* <= wanted)$/,
    reason: 'It changes the last bit at most.',
  },
];
