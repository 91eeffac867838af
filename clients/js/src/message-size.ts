import { encodeMessage } from '@millrace/protocol';
import { MillraceError } from './errors.js';

const noBytes = new Uint8Array(0);
/** Bytes of the header of an empty binary. */
const emptyHeader = 2;

/** A picture of a frame, in memory or to be read. */
export type FramePicture = Uint8Array | Blob;

/** Returns the size of the message `frame` in bytes. */
export function frameBytes({
  id,
  captured,
  data,
  mask,
  controls,
}: {
  readonly id: number;
  readonly captured: number;
  readonly data: FramePicture;
  readonly mask?: FramePicture | undefined;
  readonly controls?: Readonly<Record<string, FramePicture>> | undefined;
}): number {
  const names = Object.keys(controls ?? {});
  const empty = {
    ...(mask && { mask: noBytes }),
    ...(controls && { controls: Object.fromEntries(names.map((name) => [name, noBytes])) }),
  };
  const others = encodeMessage({ type: 'frame', id, captured, ...empty, data: noBytes }).length;
  const pictures = [data, ...(mask ? [mask] : []), ...Object.values(controls ?? {})];
  return pictures.reduce((sum, picture) => sum + addedBytes(picture), others);
}

/** Returns by how much a picture is larger, in a message, than an empty one. */
function addedBytes(picture: FramePicture): number {
  const length = picture instanceof Uint8Array ? picture.length : picture.size;
  return headerBytes(length) - emptyHeader + length;
}

/** Returns the size of the header of a binary in bytes (MessagePack: bin 8, 16, 32). */
function headerBytes(length: number): number {
  if (length < 0x100) return emptyHeader;
  return length < 0x1_0000 ? 3 : 5;
}

/** @param most maximum bytes of a message. @param frame id of the picture, if it is one. */
export function tooLarge(what: string, most: number, frame?: number): MillraceError {
  const message = `${what} is too large: the server accepts messages of at most ${most} bytes.`;
  return new MillraceError('message_too_large', { message, frame });
}
