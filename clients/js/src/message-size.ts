import { encodeMessage } from '@millrace/protocol';
import { MillraceError } from './errors.js';

const noBytes = new Uint8Array(0);
/** Bytes of the header of an empty binary. */
const emptyHeader = 2;

/** Returns the size of the message `frame` in bytes. @param picture size of the picture in bytes. */
export function frameBytes(
  frame: { readonly id: number; readonly captured: number },
  picture: number,
): number {
  const others = encodeMessage({ type: 'frame', ...frame, data: noBytes }).length - emptyHeader;
  return others + headerBytes(picture) + picture;
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
