import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { asError } from '../../engine/as-error.js';
import { parseJson } from '../../text/decode-text.js';
import { readGrantLimits, type Grant } from './grant.js';

/** An invalid or unreadable file of API keys; the message is one line that names the file. */
class ApiKeyError extends Error {
  override readonly name = 'ApiKeyError';
}

/** The entry of a key in the file: not the key itself. */
interface ApiKeyEntry {
  readonly name: string;
  /** SHA-256 of the key, in hexadecimal digits. */
  readonly sha256: string;
  readonly limits?: Grant['limits'];
}

/** Creates a key and its entry for the file. */
export function createApiKey(
  name: string,
  limits: Grant['limits'],
): { readonly key: string; readonly entry: ApiKeyEntry } {
  const key = `mr_${randomBytes(32).toString('base64url')}`;
  const entry = { name, sha256: digest(key) };
  return { key, entry: Object.keys(limits).length > 0 ? { ...entry, limits } : entry };
}

/**
 * Reads a JSON list of `{ name, sha256, limits? }`.
 * @returns a function that looks up a key.
 * @throws {ApiKeyError}
 */
export async function readApiKeys(file: string): Promise<(key: string) => Grant | null> {
  const grants = new Map<string, Grant>();
  try {
    const entries: unknown = parseJson(await readFile(file));
    if (!Array.isArray(entries)) throw new TypeError('it must be a list');
    for (const entry of entries) {
      const { sha256, grant } = readEntry(entry);
      grants.set(sha256, grant);
    }
  } catch (error) {
    throw new ApiKeyError(`${file}: ${asError(error).message}`);
  }
  // The time to look up a digest reveals nothing about the key.
  return (key) => grants.get(digest(key)) ?? null;
}

function readEntry(entry: unknown): { readonly sha256: string; readonly grant: Grant } {
  if (typeof entry !== 'object' || entry === null) throw new TypeError('each key must be an object');
  const { name, sha256, limits }: Readonly<Record<string, unknown>> = { ...entry };
  if (typeof name !== 'string' || name === '') throw new TypeError('each key must have a name');
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/i.test(sha256)) {
    throw new TypeError(`sha256 of ${name} must be 64 hexadecimal digits`);
  }
  const grant = { subject: `key:${name}`, expires: null, limits: readGrantLimits(limits) };
  return { sha256: sha256.toLowerCase(), grant };
}

function digest(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
