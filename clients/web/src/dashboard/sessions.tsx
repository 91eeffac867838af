import type { SessionRow } from '@millrace/protocol';
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { EndButton } from './end-button.js';
import type { Feed } from './feed.js';
import { duration, ms, plain, rate } from './format.js';
import { Thumbnail } from './thumbnail.js';

/** A column: its heading, and the text of its cell for a session. */
type Column = readonly [heading: string, cell: (session: SessionRow) => string];

const figures: readonly Column[] = [
  ['In', ({ figures }) => fps(figures?.fpsIn)],
  ['Out', ({ figures }) => fps(figures?.fpsOut)],
  ['p50', ({ figures }) => ms(figures?.latency?.p50)],
  ['p95', ({ figures }) => ms(figures?.latency?.p95)],
  ['Stale', ({ figures }) => ms(figures?.staleness)],
  ['Lost', ({ figures }) => plain(figures?.lost)],
  ['Size', ({ stream }) => (stream ? `${stream.width} × ${stream.height}` : '–')],
  ['Steps', ({ stream }) => plain(stream?.steps)],
  ['Age', ({ figures }) => (figures ? duration(figures.seconds) : '–')],
];

/** Personal data, hidden until it is asked for. */
const personal: readonly Column[] = [
  ['Prompt', ({ stream }) => (stream ? `${stream.promptLength} chars` : '–')],
  ['Address', ({ address }) => address ?? 'hidden'],
];

/** All sessions, parked ones included, as rows; on phones as cards. */
export function SessionTable({ feed }: { readonly feed: Feed }): JSX.Element | null {
  const personalShown = useSignal(false);
  const overview = feed.overview.value;
  if (!overview) return null;
  const { sessions, thumbnails, counts, role } = overview;
  const columns = personalShown.value ? [...figures, ...personal] : figures;
  const all = counts.active + counts.opening + counts.queued + counts.closing + counts.parked;
  return (
    <section class="sessions card">
      <header>
        <h2>Sessions</h2>
        <p>{all > sessions.length ? `the first ${sessions.length} of ${all}` : plain(sessions.length)}</p>
        <label class="switch">
          <input
            type="checkbox"
            checked={personalShown.value}
            onChange={({ currentTarget }) => (personalShown.value = currentTarget.checked)}
            data-testid="personal"
          />
          Prompt lengths and addresses
        </label>
      </header>
      {sessions.length === 0 ? (
        <p class="empty">No sessions.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Session</th>
              {columns.map(([heading]) => (
                <th scope="col" key={heading}>
                  {heading}
                </th>
              ))}
              {role === 'admin' && (
                <th scope="col">
                  <span class="hidden">Actions</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {sessions.map((session) => (
              <tr key={session.id} data-testid="session">
                <th scope="row">
                  {thumbnails && session.picture && <Thumbnail feed={feed} id={session.id} />}
                  <span class="who">
                    <code title={session.id}>{session.id.slice(0, 8)}</code>
                    <span class="state" data-state={session.state}>
                      {stateOf(session)}
                    </span>
                  </span>
                </th>
                {columns.map(([heading, cell]) => (
                  <td key={heading} data-label={heading}>
                    {cell(session)}
                  </td>
                ))}
                {role === 'admin' && (
                  <td>
                    <EndButton feed={feed} session={session.id} />
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function stateOf({ state, stream, fpsLimit }: SessionRow): string {
  if (state !== 'active') return state;
  if (stream?.paused === true) return 'paused';
  return fpsLimit === null ? state : `limited to ${fps(fpsLimit)}`;
}

function fps(value: number | undefined): string {
  return value === undefined ? '–' : `${rate(value)} fps`;
}
