import jpegTurbo from '@julusian/jpeg-turbo';
import type { ImageFormat } from './format.js';
import type { Image } from './image.js';
import { openPixels } from './vips.js';

/** Work buffers that are not in use. Each has room for the worst case, several times the size of the result. */
const idle: Buffer[] = [];
const maxIdle = 8;

/**
 * Encodes a JPEG with 4:2:0 colour. Calls may overlap.
 * `image.data` must not be changed or transferred before the promise settles.
 * @param quality 1 to 100.
 * @returns bytes that own their whole ArrayBuffer, so that it can be transferred.
 */
export async function encodeJpeg(image: Image, quality: number): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height, data } = image;
  const frame = { width, height, subsampling: jpegTurbo.SAMP_420 };
  const work = takeWorkBuffer(jpegTurbo.bufferSize(frame));
  try {
    const pixels = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const options = { ...frame, format: jpegTurbo.FORMAT_RGB, quality };
    return new Uint8Array(await jpegTurbo.compress(pixels, work, options));
  } finally {
    if (idle.length < maxIdle) idle.push(work);
  }
}

/**
 * Encodes a picture in any of the formats that can be read.
 * @param quality 1 to 100 for JPEG and WebP; PNG is lossless.
 */
export async function encodeImage(image: Image, format: ImageFormat, quality: number): Promise<Uint8Array> {
  switch (format) {
    case 'jpeg':
      return encodeJpeg(image, quality);
    case 'png':
      return openPixels(image).png().toBuffer();
    case 'webp':
      return openPixels(image).webp({ quality }).toBuffer();
  }
}

function takeWorkBuffer(bytes: number): Buffer {
  const index = idle.findIndex((buffer) => buffer.length >= bytes);
  const [found] = index < 0 ? [] : idle.splice(index, 1);
  return found ?? Buffer.allocUnsafeSlow(bytes);
}
