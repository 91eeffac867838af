import type { History } from '@millrace/protocol';
import type uPlot from 'uplot';
import { spanMs } from './feed.js';
import type { Curve, Panel } from './panels.js';

const height = 148;
/** The shortest time axis, for a server that has just started. */
const shortestMs = 15_000;
const labelColor = '#9aa5a4';
const grid = { stroke: 'rgb(255 255 255 / 5%)', width: 1 };
const font = "11px 'Instrument Sans Variable', system-ui, sans-serif";

/** Returns the chart options of a panel. @param onPoint receives the index of the sample under the pointer, or null. */
export function chartOptions(
  panel: Panel,
  width: number,
  onPoint: (index: number | null) => void,
): uPlot.Options {
  const { curves, stacked = false, least, format } = panel;
  const drawn = stacked ? [...curves].reverse() : curves;
  return {
    width,
    height,
    padding: [10, 8, 0, 0],
    legend: { show: false },
    // All panels show the same point in time.
    cursor: { sync: { key: 'dashboard' }, y: false, points: { size: 6 }, drag: { x: false, y: false } },
    scales: {
      x: {
        time: true,
        range: (_chart, from, to) => [
          Math.max(to - spanMs / 1000, Math.min(from, to - shortestMs / 1000)),
          to,
        ],
      },
      y: { range: (_chart, _from, to) => [0, Math.max(least, (to ?? 0) * 1.12)] },
    },
    axes: [
      {
        stroke: labelColor,
        font,
        grid: { show: false },
        ticks: { show: false },
        size: 26,
        incrs: [5, 10, 30, 60, 120, 180, 300],
        space: 70,
        values: timeLabels,
      },
      {
        stroke: labelColor,
        font,
        grid,
        ticks: { show: false },
        size: 56,
        space: 34,
        values: (_chart, values) => values.map(format),
      },
    ],
    series: [{}, ...drawn.map((curve) => seriesOf(curve, panel))],
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
  };
}

function seriesOf({ name, color, dashed = false }: Curve, { curves, stacked = false }: Panel): uPlot.Series {
  const look = { label: name, stroke: color, width: stacked ? 0 : 1.6, points: { show: false } };
  if (stacked) return { ...look, fill: color };
  if (dashed) return { ...look, dash: [5, 4] };
  // The area below a single curve is filled.
  return curves.length === 1 ? { ...look, fill: `${color}1f` } : look;
}

/** @param increment seconds between two labels. */
function timeLabels(
  _chart: uPlot,
  seconds: readonly number[],
  _axis: number,
  _space: number,
  increment: number,
): string[] {
  const minutes = { hour: '2-digit', minute: '2-digit' } as const;
  const form = increment < 60 ? { ...minutes, second: '2-digit' as const } : minutes;
  return seconds.map((second) => new Date(second * 1000).toLocaleTimeString('en-GB', form));
}

/** Returns the values of a panel's curves. Stacked ones are summed, the topmost first: the others are drawn over it. */
export function chartData({ curves, stacked = false }: Panel, { times, series }: History): uPlot.AlignedData {
  const values = curves.map(({ key }) => [...(series[key] ?? times.map(() => null))]);
  const seconds = times.map((time) => time / 1000);
  if (!stacked) return [seconds, ...values];
  const sums = times.map(() => 0);
  const layers = values.map((layer) =>
    layer.map((value, i) => (value === null ? null : (sums[i] = (sums[i] ?? 0) + value))),
  );
  return [seconds, ...layers.reverse()];
}
