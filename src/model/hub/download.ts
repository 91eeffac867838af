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
  /** Where it goes, whole and checked or not at all. What has arrived waits beside it, as `.incomplete`. */
  readonly target: string;
  /** Is told how many bytes are there. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Downloads a file, going on where an earlier download of it ended.
 * @throws {PullError} if it cannot be had, or arrives damaged twice.
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

/** Appends what is missing to the partial file. @throws {TransientError} if less or more comes. */
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
    // What cannot be completed must not take the room of others.
    if (isDiskFull(error)) await rm(partial, { force: true });
    if (!(error instanceof TransientError)) throw error;
    throw new TransientError(error.message, { cause: error, progressed: done > there });
  }
  if (done < size) {
    throw new TransientError(`only ${done} of ${size} bytes of ${path} came`, { progressed: done > there });
  }
  if (done > size) {
    await out.truncate(0);
    throw new TransientError(`${path} came with ${done} bytes, and should have ${size}`);
  }
}

/** The checksum of a file, by the algorithm that the hub has one of. */
async function hash(path: string, { size, checksum }: HubFile): Promise<string> {
  const sum = createHash(checksum.algorithm === 'sha256' ? 'sha256' : 'sha1');
  // Git hashes a file behind a header that tells what it is.
  if (checksum.algorithm === 'git-sha1') sum.update(`blob ${size}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) sum.update(chunk as Buffer);
  return sum.digest('hex');
}
