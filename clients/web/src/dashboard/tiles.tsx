import type { CurveName, History, Overview } from '@millrace/protocol';
import type { JSX } from 'preact';
import type { Feed } from './feed.js';
import { ms, percent, plain, rate } from './format.js';
import { latest, meanOver } from './history.js';

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
    <section class="tiles" aria-label={overview ? `The last ${overview.windowSeconds} seconds` : 'Now'}>
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

function tilesOf({ counts, engine, slo, windowSeconds }: Overview, history: History): readonly Tile[] {
  const mean = (name: CurveName): number | null => meanOver(windowSeconds, history, name);
  const { active, slots, queued, parked, limited } = counts;
  const sent = mean('sent');
  const [received, lost] = [mean('received'), mean('lost')];
  const [machine, steal] = [mean('machine_busy'), mean('machine_steal')];
  const [latency, latencyLimit] = [latest(history, 'latency_p95'), 1000 * slo.latencySeconds];
  const load = mean('engine_busy');
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
      note: engine.rowsPerSecond === null ? 'not running' : machineInWords(machine, steal),
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
      note: received === null ? 'no frames' : `${rate(lost)} per second`,
      testId: 'lost',
    },
  ];
}

/** Returns how busy the machine is with all programs, and how much of its time its host gave to others. */
function machineInWords(busy: number | null, steal: number | null): string {
  if (busy === null) return 'the machine is not known';
  const taken = steal !== null && steal >= 0.005 ? `, ${percent(steal)} stolen` : '';
  return `machine ${percent(busy)}${taken}`;
}
