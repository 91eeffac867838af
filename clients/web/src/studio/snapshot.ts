import { formatLooks, parseLooks, type Look } from '@millrace/client';
import { encodeCanvas } from '../canvas.js';
import { textOf, withTexts } from './png-text.js';

/** The keyword under which a picture has its look. */
const keyword = 'millrace';

/** Returns the picture on a canvas as a PNG file that has its look in it. */
export async function takeSnapshot(canvas: HTMLCanvasElement, look: Look, prompt: string): Promise<Blob> {
  const png = await encodeCanvas(canvas, 'image/png');
  return withTexts(png, { Software: 'Millrace', Description: prompt, [keyword]: formatLooks([look]) });
}

/**
 * Returns the look of a picture that was saved here; undefined if it has none.
 * @throws {MillraceError} (as rejection) invalid_look
 */
export async function lookOf(file: Blob): Promise<Look | undefined> {
  const text = textOf(new Uint8Array(await file.arrayBuffer()), keyword);
  return text === undefined ? undefined : parseLooks(text)[0];
}

const previewWidth = 160;

/** Returns what is on a canvas as a small JPEG file in base64. */
export function takePreview(canvas: HTMLCanvasElement): string | undefined {
  const small = document.createElement('canvas');
  small.width = previewWidth;
  small.height = Math.max(1, Math.round((previewWidth * canvas.height) / canvas.width));
  small.getContext('2d')?.drawImage(canvas, 0, 0, small.width, small.height);
  return small.toDataURL('image/jpeg', 0.8).split(',')[1];
}
