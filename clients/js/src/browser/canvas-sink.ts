import type { ResultMessage } from '@millrace/protocol';
import type { MillraceStream } from '../stream.js';

/** Browsers draw no animation frames for a page in the background; its results are acknowledged after this time. */
const maxFrameMs = 250;

export interface CanvasSinkOptions {
  /** Called after each drawn result. */
  readonly drawn?: ((frame: ResultMessage) => void) | undefined;
}

/**
 * Draws the results of a stream on a canvas, resizes the canvas to them, and acknowledges each one when it is drawn.
 * Skips refused pictures. Resolves when this side closes the stream.
 * @throws {MillraceError} (as rejection) if anything else ends the stream.
 */
export async function drawResults(
  stream: MillraceStream,
  canvas: HTMLCanvasElement,
  { drawn }: CanvasSinkOptions = {},
): Promise<void> {
  const context = canvas.getContext('2d', { alpha: false });
  if (context === null) throw new TypeError('this browser does not support 2D canvas contexts');
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
    const timer = setTimeout(done, maxFrameMs);
    function done(): void {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      resolve();
    }
  });
}
