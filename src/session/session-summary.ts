import type { RecentFigures } from '../metrics/recent.js';
import type { Seat } from './seats.js';
import type { Session } from './session.js';
import type { WatchedConnection } from './watched-connection.js';

/** What an operator sees of one session: never what its user wrote, only how long that is. */
export interface SessionSummary {
  readonly id: string;
  readonly state: Session['state'];
  /** Where the client is, where it is known. */
  readonly address: string | null;
  readonly figures: RecentFigures;
  /** What its stream does; null before it is open. */
  readonly stream: {
    readonly width: number;
    readonly height: number;
    readonly mode: string;
    /** Denoising steps. */
    readonly steps: number;
    readonly paused: boolean;
    /** Characters of all prompts together. */
    readonly promptLength: number;
  } | null;
  /** Whether there is a picture to be seen. */
  readonly picture: boolean;
}

/** @param seat of the session, if it has one. */
export function summarize(
  session: Session,
  connection: WatchedConnection,
  seat: Seat | undefined,
): SessionSummary {
  return {
    id: session.id,
    state: session.state,
    address: connection.address ?? null,
    figures: session.recent(),
    stream: seat ? streamOf(seat) : null,
    picture: connection.picture !== null,
  };
}

function streamOf({ parameters }: Seat): NonNullable<SessionSummary['stream']> {
  const { width, height, mode, steps, t_index_list: list, paused, prompt, negative_prompt } = parameters;
  const prompts = typeof prompt === 'string' ? [prompt] : prompt.map(({ text }) => text);
  const promptLength = [...prompts, negative_prompt].reduce((sum, text) => sum + text.length, 0);
  return { width, height, mode, steps: list?.length ?? steps, paused, promptLength };
}
