import { protocolVersion, type Limits, type ReadyMessage } from '@millrace/protocol';
import { secondsUntil, type Grant } from '../access/grant.js';
import type { ConnectionContext, SessionLimits } from './context.js';
import type { Session } from '../live/session.js';
import { withStyleName } from '../live/style-images.js';

/** Returns the limits of every session. */
export function commonLimits(
  limits: Pick<SessionLimits, 'messageBytes' | 'framePixels' | 'unacknowledgedResults' | 'updatesPerSecond'>,
): Limits {
  return {
    message_bytes: limits.messageBytes,
    frame_pixels: limits.framePixels,
    unacknowledged_results: limits.unacknowledgedResults,
    updates_per_second: limits.updatesPerSecond,
  };
}

/** Returns the limits of one session: the common ones, and those of its token. */
export function sessionLimits(limits: SessionLimits, grant: Grant): Limits {
  const { fps, size, steps } = grant.limits;
  return {
    ...commonLimits(limits),
    ...(fps !== undefined && { fps }),
    ...(size !== undefined && { size }),
    ...(steps !== undefined && { steps }),
  };
}

/** Returns the `ready` message of a session. */
export function readyMessage(
  { model, server, limits }: ConnectionContext,
  {
    session,
    resumed,
    grant,
  }: { readonly session: Session; readonly resumed: boolean; readonly grant: Grant },
): ReadyMessage {
  const expires = secondsUntil(grant);
  const { understood } = session.frames;
  return {
    type: 'ready',
    protocol: protocolVersion,
    session: session.id,
    resumed,
    server,
    model,
    parameters: withStyleName(session.parameters),
    credits: limits.credits,
    limits: sessionLimits(limits, grant),
    ...(expires !== null && { token_expires: expires }),
    ...(understood && { understood }),
  };
}
