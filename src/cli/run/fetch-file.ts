import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { withoutPassword } from '../../video/streams.js';
import { RunError } from './run-error.js';

/** Lists of parts that belong together (HLS, DASH): a stream, although the list itself is a file. */
const playlists = /mpegurl|dash\+xml/i;
const playlistNames = /\.(?:m3u8?|mpd)$/i;

/**
 * Fetches a file over HTTP, so that it can be read more than once.
 * @returns its path; null if the address is that of a stream: a playlist, or something without an end that is known.
 * @throws {RunError} that says what the server answers.
 */
export async function fetchFile(
  url: string,
  { scratch, signal }: { readonly scratch: () => Promise<string>; readonly signal?: AbortSignal | undefined },
): Promise<string | null> {
  const name = withoutPassword(url);
  // fetch refuses names and passwords in addresses.
  const address = new URL(url);
  const headers = new Headers();
  if (address.username !== '') {
    const credentials = `${decodeURIComponent(address.username)}:${decodeURIComponent(address.password)}`;
    headers.set('authorization', `Basic ${Buffer.from(credentials).toString('base64')}`);
    address.username = '';
    address.password = '';
  }
  const response = await fetch(address, { headers, signal: signal ?? null }).catch((error: unknown) => {
    const { cause } = error as Error;
    throw new RunError(
      `${name} cannot be fetched: ${cause instanceof Error ? cause.message : String(error)}`,
      {
        cause: error,
      },
    );
  });
  const { body } = response;
  if (!response.ok || body === null) {
    await body?.cancel();
    throw new RunError(`${name} cannot be fetched: the server answers with status ${response.status}`);
  }
  const isPlaylist =
    playlists.test(response.headers.get('content-type') ?? '') || playlistNames.test(address.pathname);
  if (isPlaylist || response.headers.get('content-length') === null) {
    await body.cancel();
    return null;
  }
  const extension = /\.\w{1,5}$/.exec(address.pathname)?.[0] ?? '';
  const path = join(await scratch(), `input${extension}`);
  await pipeline(Readable.fromWeb(body), createWriteStream(path)).catch((error: unknown) => {
    throw new RunError(`${name} cannot be fetched to its end`, { cause: error });
  });
  return path;
}
