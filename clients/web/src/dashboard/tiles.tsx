import type { History, Overview } from '@millrace/protocol';
import type { JSX } from 'preact';
import type { Feed } from './feed.js';
import { ms, percent, plain, rate } from './format.js';
import { lastMinute, latest } from './history.js';

interface Tile {
  readonly name: string;
  readonly value: string;
  readonly of?: string;
  readonly note: string;
  /** Part of the limit that is used, 0 to 1. */
  readonly full?: number | null;
  readonly testId: string;
}

/** The six key figures of the server. */
export function Tiles({ feed }: { readonly feed: Feed }): JSX.Element {
  const overview = feed.overview.value;
  const tiles = overview ? tilesOf(overview, feed.history.value) : [];
  return (
    <section class="tiles" aria-label="Now">
      {tiles.map(({ name, value, of, note, full, testId }) => (
        <div class="tile" key={name} data-testid={`tile-${testId}`}>
          <h2>{name}</h2>
          <p class="value">
            {value}
            {of !== undefined && <small> {of}</small>}
          </p>
          {full !== undefined && full !== null && (
            <meter class="hidden" min={0} max={1} value={full} aria-label={name} />
          )}
          {full !== undefined && (
            <div class="fill" data-high={(full ?? 0) > 0.9} aria-hidden="true">
              <span style={{ width: percent(Math.min(1, full ?? 0)) }} />
            </div>
          )}
          <p class="note">{note}</p>
        </div>
      ))}
    </section>
  );
}

function tilesOf({ counts, engine, slo }: Overview, history: History): readonly Tile[] {
  const { active, slots, queued, parked, limited } = counts;
  const sent = latest(history, 'sent');
  const [received, lost] = [lastMinute(history, 'received'), lastMinute(history, 'lost')];
  const rows = latest(history, 'rows');
  const [latency, latencyLimit] = [latest(history, 'latency_p95'), 1000 * slo.latencySeconds];
  const load = latest(history, 'engine_busy');
  return [
    {
      name: 'Users',
      value: plain(active),
      of: `of ${plain(slots)}`,
      note: `${queued} waiting, ${parked} parked${limited > 0 ? `, ${limited} limited` : ''}`,
      full: slots > 0 ? active / slots : null,
      testId: 'users',
    },
    {
      name: 'Engine load',
      value: percent(load),
      note: engine.rowsPerSecond === null ? 'not running' : `${rate(rows)} rows/s`,
      full: load,
      testId: 'load',
    },
    {
      name: 'Frames out',
      value: rate(sent),
      of: 'fps',
      note: active > 0 && sent !== null ? `${rate(sent / active)} per user` : 'no users',
      testId: 'fps',
    },
    {
      name: 'Latency, p95',
      value: ms(latency),
      ...(latencyLimit > 0 && {
        of: `of ${ms(latencyLimit)}`,
        full: latency === null ? null : latency / latencyLimit,
      }),
      note: `half within ${ms(latest(history, 'latency_p50'))}`,
      testId: 'latency',
    },
    {
      name: 'Staleness, p95',
      value: ms(latest(history, 'staleness_p95')),
      note: 'age of what users see',
      testId: 'staleness',
    },
    {
      name: 'Lost frames',
      value: percent(received !== null && received > 0 && lost !== null ? lost / received : null),
      note: 'in the last minute',
      testId: 'lost',
    },
  ];
}
