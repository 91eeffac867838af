import type { SessionRow } from '@millrace/protocol';
import type { Seat } from './seats/seats.js';
import type { Session } from './session.js';
import type { WatchedConnection } from './wire/watched-connection.js';

/** What an operator sees of a session. @param seat of it, if it has one. */
export function summarize(
  session: Session,
  connection: WatchedConnection,
  seat: Seat | undefined,
): SessionRow {
  return {
    id: session.id,
    state: session.state,
    address: connection.address ?? null,
    figures: session.recent(),
    fpsLimit: session.pacing?.limit ?? null,
    stream: seat ? streamOf(seat) : null,
    picture: connection.picture !== null,
  };
}

/** What an operator sees of a session whose client is away. */
export function summarizeParked(seat: Seat): SessionRow {
  const nothing = { address: null, figures: null, fpsLimit: null, picture: false };
  return { id: seat.id, state: 'parked', ...nothing, stream: streamOf(seat) };
}

function streamOf({ parameters }: Seat): NonNullable<SessionRow['stream']> {
  const { width, height, mode, steps, t_index_list: list, paused, prompt, negative_prompt } = parameters;
  const prompts = typeof prompt === 'string' ? [prompt] : prompt.map(({ text }) => text);
  const promptLength = [...prompts, negative_prompt].reduce((sum, text) => sum + text.length, 0);
  return { width, height, mode, steps: list?.length ?? steps, paused, promptLength };
}
