import { parseLooks as parse, type Look } from '@millrace/protocol';
import { MillraceError } from './errors.js';

/**
 * Reads the text of a file of looks, as the page saves it: each has a name, and `parameters` for `connect` or `update`.
 * @throws {MillraceError} invalid_look, whose message says which part of it is wrong.
 */
export function parseLooks(text: string): readonly Look[] {
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new MillraceError('invalid_look', { message: cause.message, cause });
  }
}
