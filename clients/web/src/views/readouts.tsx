import type { StageTimings, StreamStats } from '@millrace/client';
import { stageNames } from '@millrace/protocol';
import type { JSX } from 'preact';
import { stageWords } from '../stage-words.js';
import type { Studio } from '../studio/studio.js';
import { StripChart } from './strip-chart.js';

/** Live figures of the stream, and where the server's time goes. */
export function Readouts({ studio }: { readonly studio: Studio }): JSX.Element {
  const stats = studio.stats.value;
  const limit = studio.server.limit.value;
  const users = studio.server.readiness.value?.sessions.served ?? 1;
  return (
    <section class="readouts" aria-label="Live figures">
      <dl>
        <Figure
          name="Output"
          unit={limit === null ? 'fps' : `fps of at most ${limit.toFixed(1)}`}
          value={stats?.fpsOut.toFixed(1)}
          title={limit === null ? undefined : 'The server has too little time for what it promised to all'}
          testId="fps"
        />
        {stats && users > 1 && (
          <Figure
            name="Shared by"
            unit="users"
            value={String(users)}
            title="All get an equal part of the server’s time: the more there are, the fewer frames each gets"
            testId="users"
          />
        )}
        <Figure
          name="Latency"
          unit="ms"
          value={stats?.latency?.p50.toFixed(0)}
          title={stats?.latency && `95% within ${stats.latency.p95.toFixed(0)} ms, from capture to display`}
          testId="latency"
        />
        <Figure
          name="Skipped"
          value={stats && String(count(stats, skipReasons))}
          title={stats && dropsInWords(stats, skipReasons)}
          testId="skipped"
        />
        <Figure
          name="Lost"
          value={stats && String(count(stats, lossReasons))}
          title={stats && dropsInWords(stats, lossReasons)}
          testId="lost"
        />
      </dl>
      <StripChart stats={stats} />
      <Timings timings={stats?.timings} />
    </section>
  );
}

interface FigureProps {
  readonly name: string;
  readonly value: string | undefined;
  readonly testId: string;
  readonly unit?: string;
  readonly title?: string | undefined;
}

function Figure({ name, value, testId, unit, title }: FigureProps): JSX.Element {
  return (
    <div title={title}>
      <dt>{name}</dt>
      <dd>
        <span data-testid={testId}>{value ?? '–'}</span>
        {unit !== undefined && <small> {unit}</small>}
      </dd>
    </div>
  );
}

function Timings({ timings }: { readonly timings: StageTimings | undefined }): JSX.Element {
  const words = timings
    ? stageNames.map((stage) => `${stageWords[stage]} ${timings[stage].toFixed(1)} ms`).join(', ')
    : 'no picture yet';
  return (
    <div class="timings" role="img" aria-label={`Server time: ${words}`} title={words} data-testid="timings">
      <div class="bar">
        {timings &&
          stageNames.map((stage) => (
            <span key={stage} data-stage={stage} style={{ flexGrow: Math.max(0, timings[stage]) }} />
          ))}
      </div>
      <ul>
        {stageNames.map((stage) => (
          <li key={stage} data-stage={stage}>
            {stageWords[stage]}
          </li>
        ))}
        <li class="total">{timings ? `${timings.total.toFixed(0)} ms` : '–'}</li>
      </ul>
    </div>
  );
}

type Reason = keyof StreamStats['dropped'];

/** A newer frame, or the result before, counts for these. */
const skipReasons: Readonly<Partial<Record<Reason, string>>> = {
  no_credit: 'replaced by a newer frame before they were sent',
  superseded: 'replaced by a newer frame at the server',
  stale: 'outdated by the time of their turn',
  unread: 'replaced by a newer result',
  similar: 'nearly identical to the one before',
};

/** What should not happen. */
const lossReasons: Readonly<Partial<Record<Reason, string>>> = {
  failed: 'lost by the server or with the connection',
  invalid: 'refused as unusable',
  overload: 'sent without a credit',
};

function count({ dropped }: StreamStats, reasons: Readonly<Partial<Record<Reason, string>>>): number {
  return (Object.keys(reasons) as Reason[]).reduce((sum, reason) => sum + (dropped[reason] ?? 0), 0);
}

function dropsInWords({ dropped }: StreamStats, reasons: Readonly<Partial<Record<Reason, string>>>): string {
  const parts = (Object.entries(reasons) as [Reason, string][]).flatMap(([reason, words]) =>
    dropped[reason] === undefined ? [] : [`${dropped[reason]} ${words}`],
  );
  return parts.length === 0 ? 'none' : parts.join(', ');
}
