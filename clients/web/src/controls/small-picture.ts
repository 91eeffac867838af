import { canvasFor, encodeCanvas } from '../canvas.js';

/** Longer side of a small picture. Image encoders take a few hundred pixels. */
const longestSide = 768;

/**
 * Returns a picture as a small JPEG file.
 * @throws {DOMException} (as rejection) if this browser cannot decode the file.
 */
export async function smallPicture(file: Blob): Promise<Uint8Array<ArrayBuffer>> {
  const bitmap = await createImageBitmap(file);
  const canvas = canvasFor(bitmap, longestSide);
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return encodeCanvas(canvas, 'image/jpeg', 0.92);
}
