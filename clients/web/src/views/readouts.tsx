import type { StageTimings, StreamStats } from '@millrace/client';
import { stageNames } from '@millrace/protocol';
import type { JSX } from 'preact';
import { stageWords } from '../stage-words.js';
import type { Studio } from '../studio/studio.js';

/** Live figures of the stream, and where the server's time goes. */
export function Readouts({ studio }: { readonly studio: Studio }): JSX.Element {
  const stats = studio.stats.value;
  return (
    <section class="readouts" aria-label="Live figures">
      <dl>
        <Figure name="Output" unit="fps" value={stats?.fpsOut.toFixed(1)} testId="fps" />
        <Figure
          name="Latency"
          unit="ms"
          value={stats?.latency?.p50.toFixed(0)}
          title={stats?.latency && `95% within ${stats.latency.p95.toFixed(0)} ms, from capture to display`}
          testId="latency"
        />
        <Figure
          name="Dropped"
          value={stats && String(totalDropped(stats))}
          title={stats && dropsInWords(stats)}
          testId="dropped"
        />
      </dl>
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

/** Returns the number of dropped frames, without those that were skipped as similar. */
function totalDropped({ dropped }: StreamStats): number {
  return Object.values(dropped).reduce((sum, count) => sum + count, 0) - (dropped.similar ?? 0);
}

function dropsInWords({ dropped }: StreamStats): string {
  const parts = Object.entries(dropped).map(([reason, count]) => `${count} ${reason.replace('_', ' ')}`);
  return parts.length === 0 ? 'no frames dropped' : parts.join(', ');
}
