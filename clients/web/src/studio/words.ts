import type { MillraceError } from '@millrace/client';

/** Describes an error for users who do not know the protocol. */
export function inWords(error: MillraceError): string {
  switch (error.code) {
    case 'connection_failed':
      return 'The server cannot be reached.';
    case 'connection_lost':
      return 'The connection was lost.';
    case 'too_many_sessions':
      return 'The server is full at the moment.';
    case 'slow_reader':
      return 'This connection is too slow for the video.';
    case 'shutting_down':
      return 'The server is being restarted.';
    case 'engine_restarting':
      return 'The engine had to restart; the picture will be back in a moment.';
    case 'generation_failed':
      return 'The model could not generate a picture from this. See the log of the server.';
    case 'engine_failed':
      return 'The engine has failed. See the log of the server.';
    case 'forbidden_origin':
      return 'This server does not accept streams from pages at this address.';
    case 'session_ended':
      return 'The operator of this server has ended the session.';
    case 'invalid_frame':
      return describeFrame(error.field);
    case 'protocol_error':
    case 'unsupported_protocol':
      return 'This page and the server have different versions. Reload the page.';
    default:
      return error.message;
  }
}

/** @param field of the message at fault. The page sends no pictures for controls. */
function describeFrame(field: string | undefined): string {
  const [, control] = /^controls\.(.+)$/.exec(field ?? '') ?? [];
  if (control === undefined) return 'The server could not use a frame of this video.';
  return `Choose a preprocessor for the control ${control}: it makes the picture that the control needs.`;
}
