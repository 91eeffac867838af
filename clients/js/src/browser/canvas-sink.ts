import type { ResultMessage } from '@millrace/protocol';
import type { MillraceStream } from '../stream.js';

/** Browsers draw no animation frames for a page in the background; results are acknowledged all the same. */
const longestFrame = 250;

export interface CanvasSinkOptions {
  /** Called after each drawn result. */
  readonly drawn?: ((frame: ResultMessage) => void) | undefined;
}

/**
 * Draws the results of a stream on a canvas, which takes their size, each acknowledged when it is drawn.
 * Pictures that were refused are passed over. Resolves when the stream is closed here.
 * @throws {MillraceError} (as rejection) what ended the stream otherwise.
 */
export async function drawResults(
  stream: MillraceStream,
  canvas: HTMLCanvasElement,
  { drawn }: CanvasSinkOptions = {},
): Promise<void> {
  const context = canvas.getContext('2d', { alpha: false });
  if (context === null) throw new TypeError('this browser has no 2d canvas');
  for await (const frame of stream.frames({ skipRefused: true })) {
    const image = new Blob([new Uint8Array(frame.data)], { type: 'image/jpeg' });
    const bitmap = await createImageBitmap(image);
    await animationFrame();
    if (canvas.width !== bitmap.width) canvas.width = bitmap.width;
    if (canvas.height !== bitmap.height) canvas.height = bitmap.height;
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    drawn?.(frame);
  }
}

async function animationFrame(): Promise<void> {
  await new Promise<void>((resolve) => {
    const frame = requestAnimationFrame(done);
    const timer = setTimeout(done, longestFrame);
    function done(): void {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      resolve();
    }
  });
}
