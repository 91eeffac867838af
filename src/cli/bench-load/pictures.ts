import { encodeJpeg } from '../../image/encode.js';
import { fitImage } from '../../image/fit.js';
import { findFfmpeg, type Ffmpeg } from '../../video/ffmpeg.js';
import { openInput } from '../run/open-input.js';
import { RunError } from '../run/run-error.js';

/** Enough frames for a camera, which repeats them. */
const most = 60;
const quality = 85;

/** Reads the first frames of a video, folder or picture, as JPEGs of one size. @throws {RunError | VideoError} */
export async function readPictures(
  path: string,
  size: { readonly width: number; readonly height: number },
  signal: AbortSignal,
): Promise<readonly Uint8Array[]> {
  const ffmpeg = (): Promise<Ffmpeg> => findFfmpeg(process.env, signal);
  const input = await openInput(path, { ffmpeg, rate: { numerator: 25, denominator: 1 } });
  const pictures: Uint8Array[] = [];
  for await (const { image } of input.frames()) {
    pictures.push(await encodeJpeg(await fitImage(image, size, 'cover'), quality));
    if (pictures.length === most) break;
  }
  if (pictures.length === 0) throw new RunError(`${path} has no frame that can be decoded`);
  return pictures;
}
