/** Longer side of a small picture. Image encoders take a few hundred pixels. */
const longestSide = 768;

/**
 * Returns a picture as a small JPEG file.
 * @throws {DOMException} (as rejection) if this browser cannot decode the file.
 */
export async function smallPicture(file: Blob): Promise<Uint8Array<ArrayBuffer>> {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, longestSide / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const small = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.92));
  if (small === null) throw new DOMException('the picture cannot be encoded', 'EncodingError');
  return new Uint8Array(await small.arrayBuffer());
}
