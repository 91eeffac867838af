/** Returns an empty canvas of a picture's shape, whose longer side has no more pixels than this. */
export function canvasFor({ width, height }: ImageBitmap, longestSide: number): HTMLCanvasElement {
  const scale = Math.min(1, longestSide / Math.max(width, height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  return canvas;
}

/**
 * Returns what is on a canvas as an image file.
 * @param quality 0 to 1; of JPEG.
 * @throws {DOMException} (as rejection) if the browser cannot encode it.
 */
export async function encodeCanvas(
  canvas: HTMLCanvasElement,
  type: 'image/png' | 'image/jpeg',
  quality?: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const file = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, quality));
  if (file === null) throw new DOMException('the picture cannot be encoded', 'EncodingError');
  return new Uint8Array(await file.arrayBuffer());
}
