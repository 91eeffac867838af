import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { withoutSecrets } from '../../video/secrets.js';
import { RunError } from './run-error.js';

/** What an address of the web leads to: a file, which is then here, or a stream. */
export type WebInput = { readonly file: string } | { readonly isLive: boolean };

interface FetchOptions {
  /** Returns the folder for the file. */
  readonly scratch: () => Promise<string>;
  readonly signal?: AbortSignal | undefined;
}

/** Lists of parts that belong together (HLS, DASH): a stream, although the list itself is a file. */
const playlistTypes = /mpegurl|dash\+xml/i;
const playlistNames = /\.(?:m3u8?|mpd)$/i;
/** A playlist to which nothing will be added, of HLS (RFC 8216, 4.3.3.4) or DASH. */
const endOfPlaylist = /^#EXT-X-ENDLIST|\stype="static"/m;
/** The first of several playlists of the same video. */
const firstVariant = /^#EXT-X-STREAM-INF.*\r?\n([^#\s].*)/m;
const mostPlaylists = 4;
/** In characters; one of a whole day has about half as many. */
const longestPlaylist = 4_000_000;

/**
 * Fetches a file over HTTP, so that it can be read more than once.
 * @throws {RunError} that says what the server answers.
 */
export async function fetchInput(url: string, { scratch, signal }: FetchOptions): Promise<WebInput> {
  const name = withoutSecrets(url);
  let { address, body, type, length } = await request(url, name, signal);
  for (let count = 0; playlistTypes.test(type) || playlistNames.test(address.pathname); count++) {
    const text = await readPlaylist(body, name);
    const [, variant] = firstVariant.exec(text) ?? [];
    if (variant === undefined || count === mostPlaylists) return { isLive: !endOfPlaylist.test(text) };
    ({ address, body, type, length } = await request(new URL(variant.trim(), address).href, name, signal));
  }
  if (length === null) {
    await body.cancel();
    return { isLive: true };
  }
  const extension = /\.\w{1,5}$/.exec(address.pathname)?.[0] ?? '';
  const file = join(await scratch(), `input${extension}`);
  await pipeline(Readable.fromWeb(body), createWriteStream(file)).catch((error: unknown) => {
    throw new RunError(`${name} cannot be fetched to its end`, { cause: error });
  });
  return { file };
}

/** @throws {RunError} if it has no end, such as a stream under the name of a playlist. */
async function readPlaylist(body: ReadableStream<Uint8Array>, name: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const part of body) {
    text += decoder.decode(part, { stream: true });
    if (text.length > longestPlaylist) throw new RunError(`${name} is too long for a playlist`);
  }
  return text;
}

/** @param name of the input in messages. */
async function request(url: string, name: string, signal: AbortSignal | undefined) {
  const headers = new Headers();
  // fetch refuses names and passwords in addresses.
  const address = new URL(url);
  if (address.username !== '' || address.password !== '') {
    const credentials = [address.username, address.password].map(decode).join(':');
    headers.set('authorization', `Basic ${Buffer.from(credentials).toString('base64')}`);
    address.username = '';
    address.password = '';
  }
  const response = await fetch(address, { headers, signal: signal ?? null }).catch((error: unknown) => {
    const { cause } = error as Error;
    const reason = cause instanceof Error ? cause.message : String(error);
    throw new RunError(`${name} cannot be fetched: ${reason}`, { cause: error });
  });
  const { body } = response;
  if (!response.ok || body === null) {
    await body?.cancel();
    throw new RunError(`${name} cannot be fetched: the server answers with status ${response.status}`);
  }
  const [type, length] = ['content-type', 'content-length'].map((header) => response.headers.get(header));
  return { address: new URL(url), body, type: type ?? '', length: length ?? null };
}

/** Decodes a part of an address, unless it was never encoded. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
