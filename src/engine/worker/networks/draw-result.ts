import type { Image } from '../../../image/image.js';
import type { PreprocessorResult } from '../../../model/layout/preprocessor.js';
import { nearest, resample } from './resample.js';
import type { Size } from './sizes.js';

/** What a preprocessor computed for a picture: [channels, height, width], finite. */
interface Output extends Size {
  readonly values: Float32Array;
  readonly channels: number;
}

/** Draws what a preprocessor computed as a picture of this size, in new memory. */
export function drawResult(output: Output, result: PreprocessorResult, size: Size): Image {
  const { kind, classes } = result;
  if (kind === 'classes') return drawClasses(output, result, size);
  if (kind === 'mask' && classes) return drawLevels(membersOf(output, classes), isMember(result), size);
  return drawLevels(output, result, size);
}

/** Draws one channel in grey, or three as red, green and blue. */
function drawLevels({ values, channels, ...from }: Output, result: PreprocessorResult, to: Size): Image {
  const { kind, channel: begin } = result;
  const drawn = kind === 'mask' || channels < 3 ? 1 : 3;
  const plane = from.width * from.height;
  const [black, white] =
    result.range === 'minmax'
      ? extremes(values.subarray(begin * plane, (begin + drawn) * plane))
      : result.range;
  // A result that is the same everywhere is black.
  const scale = white === black ? 0 : 255 / (white - black);
  const count = to.width * to.height;
  const levels = new Float32Array(count);
  const data = new Uint8ClampedArray(3 * count);
  for (let channel = 0; channel < 3; channel++) {
    if (channel < drawn) resample({ values, first: (begin + channel) * plane, step: 1, ...from }, to, levels);
    for (let i = 0; i < count; i++) {
      const level = ((levels[i] ?? 0) - black) * scale;
      // Rounds and clamps.
      data[3 * i + channel] = result.invert ? 255 - level : level;
    }
  }
  return { width: to.width, height: to.height, data: new Uint8Array(data.buffer) };
}

function extremes(values: Float32Array): readonly [least: number, greatest: number] {
  let [least, greatest] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return [least, greatest];
}

/** Returns 1 where a pixel is of one of the classes, elsewhere 0. */
function membersOf(output: Output, classes: readonly number[]): Output {
  const { width, height } = output;
  const values = Float32Array.from(classOf(output), (own) => (classes.includes(own) ? 1 : 0));
  return { values, channels: 1, width, height };
}

function isMember(result: PreprocessorResult): PreprocessorResult {
  return { ...result, range: [0, 1], channel: 0 };
}

/** Draws the colour of each pixel's class: colours between those of two classes would be another class. */
function drawClasses(output: Output, { palette }: PreprocessorResult, to: Size): Image {
  const classes = classOf(output);
  const columns = nearest(output.width, to.width);
  const rows = nearest(output.height, to.height);
  const data = new Uint8Array(3 * to.width * to.height);
  let p = 0;
  for (const row of rows) {
    for (const column of columns) {
      const colour = palette[(classes[row * output.width + column] ?? 0) % palette.length];
      data.set(colour ?? [0, 0, 0], p);
      p += 3;
    }
  }
  return { width: to.width, height: to.height, data };
}

/** Returns the class of each pixel: the only channel, or the one with the greatest score. */
function classOf({ values, channels, width, height }: Output): Int32Array {
  const count = width * height;
  const classes = new Int32Array(count);
  if (channels === 1) {
    for (let i = 0; i < count; i++) classes[i] = Math.max(0, Math.round(values[i] ?? 0));
    return classes;
  }
  const best = values.slice(0, count);
  for (let channel = 1; channel < channels; channel++) {
    for (let i = 0, at = channel * count; i < count; i++, at++) {
      const score = values[at] ?? 0;
      if (score <= (best[i] ?? 0)) continue;
      best[i] = score;
      classes[i] = channel;
    }
  }
  return classes;
}
