import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { isDiskFull } from './disk-error.js';
import { sizeOf } from './hub-cache.js';
import type { HubClient, HubFile } from './hub-client.js';
import { PullError, TransientError } from './pull-error.js';

export interface Download {
  readonly commit: string;
  readonly file: HubFile;
  /** Its path once it is complete and checked. Until then, the bytes that arrived are beside it, as `.incomplete`. */
  readonly target: string;
  /** Receives the number of bytes that are there. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Downloads a file, or resumes an earlier download of it.
 * @throws {PullError} if it cannot be downloaded, or arrives damaged twice.
 */
export async function download(
  client: HubClient,
  { commit, file, target, onBytes }: Download,
): Promise<void> {
  const partial = `${target}.incomplete`;
  for (const tries of [1, 2]) {
    await client.persist(() => fetchRest(client, commit, file, partial, onBytes));
    const hex = await hash(partial, file);
    if (hex === file.checksum.hex) return rename(partial, target);
    await rm(partial, { force: true });
    if (tries === 2) {
      throw new PullError(
        `${file.path} of ${client.id.repo} arrives damaged: its checksum is ${hex}, not ${file.checksum.hex}; ` +
          'it was removed; try again later, or from another network',
      );
    }
  }
}

/** Appends the missing bytes to the partial file. @throws {TransientError} if fewer or more arrive. */
async function fetchRest(
  client: HubClient,
  commit: string,
  { path, size }: HubFile,
  partial: string,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const there = (await sizeOf(partial)) ?? 0;
  if (there === size && size > 0) return;
  const { start, chunks } = await client.open(commit, path, there < size ? there : 0);
  let done = start;
  await using out = await open(partial, start === 0 ? 'w' : 'a');
  try {
    for await (const chunk of chunks) {
      await out.writeFile(chunk);
      done += chunk.length;
      onBytes(done);
    }
  } catch (error) {
    // A file that cannot be completed must not take up the disk.
    if (isDiskFull(error)) await rm(partial, { force: true });
    if (!(error instanceof TransientError)) throw error;
    throw new TransientError(error.message, { cause: error, progressed: done > there });
  }
  if (done < size) {
    throw new TransientError(`only ${done} of ${size} bytes of ${path} arrived`, {
      progressed: done > there,
    });
  }
  if (done > size) {
    await out.truncate(0);
    throw new TransientError(`${path} arrived with ${done} bytes instead of ${size}`);
  }
}

/** Computes the checksum of a file, by the algorithm of the hub's checksum. */
async function hash(path: string, { size, checksum }: HubFile): Promise<string> {
  const sum = createHash(checksum.algorithm === 'sha256' ? 'sha256' : 'sha1');
  // Git hashes a file after a header with its type and size.
  if (checksum.algorithm === 'git-sha1') sum.update(`blob ${size}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) sum.update(chunk as Buffer);
  return sum.digest('hex');
}
