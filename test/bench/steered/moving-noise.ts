import { decodeImage } from '../../../src/image/decode.js';
import type { Image } from '../../../src/image/image.js';
import {
  embeddedModel,
  RecordedStream,
  startEngine,
  tinyParameters,
  type TestEngine,
} from '../../support/engine.js';
import { tower } from '../../image/pictures.js';
import { median, type Figure } from '../report.js';

export interface PanTrials {
  readonly frames: number;
  /** Pixels by which the picture moves to the left from frame to frame. */
  readonly speed: number;
  /** Frames between the pictures that are compared. */
  readonly apart: number;
  readonly threads: number;
}

/** Side of the pictures, in pixels. */
const side = 256;

/**
 * Compares fixed noise with noise that moves with the picture, on a photo that pans. The pattern that noise draws is the
 * difference of the results of two seeds: it should be found again where the picture has moved to.
 */
export async function panFigures(trials: PanTrials): Promise<Figure[]> {
  const { frames, speed, apart, threads } = trials;
  const photo = await decodeImage(tower, { maxPixels: 1 << 20 });
  const pan = Array.from({ length: frames }, (_, frame) => viewOf(photo, speed * frame));
  await using run = await startEngine(embeddedModel, { threads, calibration: 'fresh' });
  const figures: Figure[] = [];
  for (const noise of ['fixed', 'move'] as const) {
    const [first, second] = [await draw(run, pan, noise, 1), await draw(run, pan, noise, 2)];
    const patterns = first.map((pixels, frame) => pixels.map((value, i) => value - second[frame][i]));
    const agreement = (moved: number): number =>
      median(patterns.slice(apart).map((pattern, i) => correlation(patterns[i], pattern, moved)));
    const what = `likeness of the pattern of ${noise} noise ${apart} frames later`;
    figures.push(
      { what: `${what}, where the picture has moved to`, value: agreement(speed * apart), unit: '' },
      { what: `${what}, in the same place`, value: agreement(0), unit: '' },
    );
  }
  return figures;
}

/** Returns what a camera sees that has turned so many pixels to the right. */
function viewOf(photo: Image, left: number): Image {
  const data = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    const from = ((y + (photo.height - side) / 2) * photo.width + left) * 3;
    data.set(photo.data.subarray(from, from + side * 3), y * side * 3);
  }
  return { width: side, height: side, data };
}

/** Returns the results as brightness. */
async function draw(
  run: TestEngine,
  images: readonly Image[],
  noise: 'fixed' | 'move',
  seed: number,
): Promise<Float32Array[]> {
  const parameters = tinyParameters({
    width: side,
    height: side,
    prompt: 'oil painting',
    t_index_list: [25],
    noise,
    seed,
  });
  const stream = await RecordedStream.open(run.engine, parameters);
  for (const [frame, image] of images.entries()) {
    stream.stream.push(frame, { image: { ...image, data: image.data.slice() } }, { replace: false });
    await stream.until(() => stream.answered > frame);
  }
  stream.stream.close();
  return images.map((_, frame) => {
    const pixels = stream.results.get(frame) ?? new Uint8Array(0);
    return Float32Array.from(
      { length: side * side },
      (_, i) => pixels[3 * i] + pixels[3 * i + 1] + pixels[3 * i + 2],
    );
  });
}

/** Returns the correlation of a pattern with a later one that has moved to the left: 1 if it is the same. */
function correlation(before: Float32Array, now: Float32Array, moved: number): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side - moved; x++) {
      const [a, b] = [before[y * side + x + moved], now[y * side + x]];
      ab += a * b;
      aa += a * a;
      bb += b * b;
    }
  }
  return ab / Math.max(Math.sqrt(aa * bb), 1e-9);
}
