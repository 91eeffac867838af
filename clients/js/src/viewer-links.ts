import type { ViewerLinks } from '@millrace/protocol';
import type { FetchOptions } from './capabilities.js';
import { MillraceError } from './errors.js';
import { reasonOf } from './refusal.js';
import type { MillraceStream } from './stream.js';
import { resourceUrl } from './url.js';

/** Where others can watch the results of a stream. */
export interface ViewerUrls {
  /** A page that shows nothing but the pictures. */
  readonly view: URL;
  /** The pictures as Motion JPEG, for OBS, VLC and other programs. */
  readonly mjpeg: URL;
  /** Seconds until the addresses can no longer be opened; viewers already there stay. */
  readonly expiresSeconds: number;
}

export interface ViewerLinkOptions extends FetchOptions {
  /** How long the addresses can be opened; by default as long as the server allows. */
  readonly seconds?: number | undefined;
}

/**
 * Makes links with which others can watch the results of a stream.
 * @param url address of the server or of its stream.
 * @throws {MillraceError} (as rejection) limit_exceeded, not_found if the stream has ended or the server has no links
 *   for viewers, connection_failed, ...
 */
export async function fetchViewerLinks(
  url: string | URL,
  { session, key }: Pick<MillraceStream, 'session' | 'key'>,
  { seconds, signal }: ViewerLinkOptions = {},
): Promise<ViewerUrls> {
  if (key === undefined) {
    throw new MillraceError('not_found', { message: 'This server has no links for viewers.' });
  }
  const path = `v1/sessions/${encodeURIComponent(session)}/links`;
  let response: Response;
  let body: string;
  try {
    response = await fetch(resourceUrl(url, path), {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ seconds }),
      signal: signal ?? null,
    });
    body = await response.text();
  } catch (cause) {
    signal?.throwIfAborted();
    throw new MillraceError('connection_failed', { cause });
  }
  if (response.status !== 201) throw reasonOf(response.status, body, response.headers.get('retry-after'));
  const links = JSON.parse(body) as ViewerLinks;
  return {
    view: resourceUrl(url, links.view),
    mjpeg: resourceUrl(url, links.mjpeg),
    expiresSeconds: links.expires_seconds,
  };
}
