import { readFile } from 'node:fs/promises';
import { oneLine } from '../../engine/as-error.js';
import { decodeText } from '../../text/decode-text.js';
import { codeOf } from '../error-code.js';
import { RunError } from './run-error.js';

/** Reads a text file of the user. @throws {RunError} that names the file, if it cannot be read or is not text. */
export async function readTextFile(file: string): Promise<string> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new RunError(`${file} cannot be read (${codeOf(cause) ?? oneLine(cause)})`, { cause });
  });
  try {
    return decodeText(bytes);
  } catch (cause) {
    throw new RunError(`${file}: ${oneLine(cause)}`, { cause });
  }
}
