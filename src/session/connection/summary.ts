import type { SessionRow } from '@millrace/protocol';
import type { Session } from '../live/session.js';
import type { ClientConnection } from './client-connection.js';
import type { WatchedWire } from '../wire/watched-wire.js';

/** Returns what an operator sees of a connection. @param session of the connection, if any. */
export function summarize(
  connection: ClientConnection,
  wire: WatchedWire,
  session: Session | undefined,
): SessionRow {
  return {
    id: connection.id,
    state: connection.state,
    address: wire.address ?? null,
    figures: connection.recent(),
    fpsLimit: connection.pacing?.limit ?? null,
    stream: session ? streamOf(session) : null,
    picture: wire.picture !== null,
  };
}

/** Returns what an operator sees of a parked session. */
export function summarizeParked(session: Session): SessionRow {
  const nothing = { address: null, figures: null, fpsLimit: null, picture: false };
  return { id: session.id, state: 'parked', ...nothing, stream: streamOf(session) };
}

function streamOf({ parameters }: Session): NonNullable<SessionRow['stream']> {
  const { width, height, mode, steps, t_index_list: list, paused, prompt, negative_prompt } = parameters;
  const prompts = typeof prompt === 'string' ? [prompt] : prompt.map(({ text }) => text);
  const promptLength = [...prompts, negative_prompt].reduce((sum, text) => sum + text.length, 0);
  return { width, height, mode, steps: list?.length ?? steps, paused, promptLength };
}
