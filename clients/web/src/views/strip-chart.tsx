import { stageNames, type StageTimings } from '@millrace/protocol';
import type { StreamStats } from '@millrace/client';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';

/** Two a second: a minute. */
const mostEntries = 120;
const height = 40;

/** How long the server took for each stage during the last minute. */
export function StripChart({ stats }: { readonly stats: StreamStats | undefined }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const before = useRef<readonly StageTimings[]>([]);
  const entries = useMemo(() => {
    before.current =
      stats?.timings === undefined ? [] : [...before.current, stats.timings].slice(-mostEntries);
    return before.current;
  }, [stats]);
  useEffect(() => {
    if (canvas.current !== null) draw(canvas.current, entries);
  }, [entries]);
  const slowest = Math.max(0, ...entries.map(({ total }) => total));
  return (
    <canvas
      class="strip"
      ref={canvas}
      height={height}
      role="img"
      aria-label={`Server time of the last minute: at most ${slowest.toFixed(0)} ms`}
      title={`The last minute, at most ${slowest.toFixed(0)} ms`}
      data-testid="strip"
    />
  );
}

function draw(canvas: HTMLCanvasElement, entries: readonly StageTimings[]): void {
  const context = canvas.getContext('2d');
  if (context === null) return;
  const scale = devicePixelRatio;
  canvas.width = Math.max(1, Math.round(canvas.clientWidth * scale));
  canvas.height = Math.round(height * scale);
  const highest = Math.max(1, ...entries.map(({ total }) => total));
  const column = canvas.width / mostEntries;
  const style = getComputedStyle(canvas);
  const start = mostEntries - entries.length;
  for (const [i, timings] of entries.entries()) {
    let top = canvas.height;
    for (const stage of stageNames) {
      const size = (Math.max(0, timings[stage]) / highest) * canvas.height;
      context.fillStyle = style.getPropertyValue(`--stage-${stage.replace('_', '-')}`);
      context.fillRect(Math.floor((start + i) * column), top - size, Math.ceil(column), size);
      top -= size;
    }
  }
}
