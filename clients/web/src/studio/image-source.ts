import { canvasFor } from '../canvas.js';

/** How often an image is sent, per second: what is set takes effect as quickly as with a video. */
const framesPerSecond = 15;
/** Longer side of the pictures that are sent at most. */
const longestSide = 1280;

/** An image that plays like a video. */
export interface ImageStream {
  readonly media: MediaStream;
  stop(): void;
}

/**
 * Makes a video of an image.
 * @throws {DOMException} (as rejection) if this browser cannot decode the file.
 */
export async function streamImage(file: Blob): Promise<ImageStream> {
  const bitmap = await createImageBitmap(file);
  const canvas = canvasFor(bitmap, longestSide);
  const context = canvas.getContext('2d', { alpha: false });
  const draw = (): void => context?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  draw();
  // A canvas that is not drawn on sends no frames.
  const timer = setInterval(draw, 1000 / framesPerSecond);
  return {
    media: canvas.captureStream(framesPerSecond),
    stop() {
      clearInterval(timer);
      bitmap.close();
    },
  };
}
