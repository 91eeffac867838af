import { open, readFile, stat } from 'node:fs/promises';
import type { ErrorObject } from 'ajv';
import { decodeText } from '../text/decode-text.js';
import type { Validator } from '../text/validator.js';
import { ModelError } from './model-error.js';

const incomplete = 'download the model again, with every folder that its model_index.json names';
const pullFiles = 'run "git lfs pull" where the model was cloned';

/**
 * Reads a text file of a model folder, in UTF-8 or UTF-16.
 * @throws {ModelError} if it is missing, cannot be read or is not text.
 */
export async function readModelText(path: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new ModelError(path, describeReadError(cause), { cause });
  }
  try {
    return decodeText(bytes);
  } catch (cause) {
    throw new ModelError(path, 'not text in UTF-8 or UTF-16; save it as UTF-8, or download the model again', {
      cause,
    });
  }
}

/**
 * Reads a JSON file of a model folder and checks its fields.
 * @throws {ModelError} if it is missing, not JSON, or does not match the schema.
 */
export async function readModelJson<T>(path: string, validate: Validator<T>): Promise<T> {
  const text = await readModelText(path);
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw new ModelError(path, `not valid JSON; ${isPointer(text) ? pullFiles : incomplete}`, { cause });
  }
  if (validate(value)) return value;
  throw new ModelError(path, describeMismatch(value, validate.errors?.[0]));
}

function describeMismatch(value: unknown, error: ErrorObject | undefined): string {
  const names = error?.instancePath ? error.instancePath.slice(1).split('/') : [];
  const field = names.length > 0 ? `field ${names.join('.')} ` : '';
  const problem = `${field}${error?.message ?? 'is not as expected'}`;
  if (error?.keyword !== 'enum') return `${problem}; correct the file`;
  const given = names.reduce<unknown>(
    (at, name) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[name] : undefined),
    value,
  );
  // Editing the file would not change the kind of the model.
  const advice = /class/.test(names.at(-1) ?? '')
    ? 'the model is of a kind that cannot be run here'
    : 'correct the file';
  return `${problem}: ${JSON.stringify(error.params['allowedValues'])}, not ${JSON.stringify(given)}; ${advice}`;
}

/**
 * Parses JSON as Python writes it: diffusers puts -Infinity into configurations of schedulers, which JSON does not
 * have. NaN becomes null.
 * @throws {SyntaxError} if it is invalid in other ways.
 */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const outsideTexts = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g;
    const plain = text.replace(outsideTexts, (match) => pythonNumbers[match] ?? match);
    if (plain === text) throw error;
    return JSON.parse(plain);
  }
}

/** A number beyond the largest one is parsed as infinite. */
const pythonNumbers: Readonly<Record<string, string>> = {
  Infinity: '1e999',
  '-Infinity': '-1e999',
  NaN: 'null',
};

/** Returns whether there is a file or folder at this path. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/**
 * Checks that a file can hold weights: it exists, is large enough and is not a Git LFS pointer.
 * @param bytes its minimum size.
 * @throws {ModelError} if it cannot.
 */
export async function checkWeights(path: string, bytes = 0): Promise<void> {
  let head: string;
  let size: number;
  try {
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(64), 0, 64, 0);
    head = buffer.toString('latin1', 0, bytesRead);
    ({ size } = await file.stat());
  } catch (cause) {
    throw new ModelError(path, describeReadError(cause), { cause });
  }
  if (head === '') throw new ModelError(path, `the file is empty; ${incomplete}`);
  if (isPointer(head)) throw new ModelError(path, `a Git LFS pointer, not the weights; ${pullFiles}`);
  if (size < bytes) {
    throw new ModelError(path, `has ${size} bytes of the ${bytes} that its graph needs; download it again`);
  }
}

function isPointer(text: string): boolean {
  return text.startsWith('version https://git-lfs');
}

function describeReadError(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') return `no such file; ${incomplete}`;
  if (code === 'EACCES') return 'no permission to read it; change its owner or mode';
  if (code === 'EISDIR') return `a folder, not a file; ${incomplete}`;
  return `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`;
}
