import type { MillraceError } from '@millrace/client';

/** What went wrong, for somebody who has not read the protocol. */
export function inWords(error: MillraceError): string {
  switch (error.code) {
    case 'connection_failed':
      return 'The server cannot be reached.';
    case 'connection_lost':
      return 'The connection was lost.';
    case 'too_many_sessions':
      return 'The server is full just now.';
    case 'slow_reader':
      return 'This connection is too slow for the video.';
    case 'shutting_down':
      return 'The server is being restarted.';
    case 'engine_restarting':
      return 'The picture engine had to restart; the picture comes back in a moment.';
    case 'generation_failed':
      return 'The model could not make a picture of this. The server needs a look at its log.';
    case 'engine_failed':
      return 'The picture engine has failed. The server needs a look at its log.';
    case 'forbidden_origin':
      return 'This server does not take streams from this address.';
    case 'invalid_frame':
      return 'The server could not use a picture of this video.';
    case 'protocol_error':
    case 'unsupported_protocol':
      return 'This page and the server are of different versions. Reload the page.';
    default:
      return error.message;
  }
}
