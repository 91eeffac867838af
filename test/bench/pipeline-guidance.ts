import type { StreamParameters } from '@millrace/protocol';
import { cost, type CostCurve } from '../../src/engine/costs.js';
import type { Image } from '../../src/image/image.js';
import { RecordedStream, type TestEngine } from '../support/engine.js';
import { callsDuring, inTurns, pass, play, ratio } from './pipeline-rig.js';
import { median, type Figure } from './report.js';

/** Enough to fill calls with any guidance. */
const sessions = 8;

/**
 * Compares the cost of full and residual guidance, in the stream batch as in the paper, with the ratio of U-Net rows.
 * With many sessions all calls have equally many rows, and time is proportional to rows. Calls of a single stream have
 * twice as many rows with full guidance, but take less than twice the time; calibration predicts how much less.
 */
export async function guidanceFigures(
  run: TestEngine,
  base: StreamParameters,
  {
    costs,
    images,
    tIndexLists,
  }: {
    readonly costs: CostCurve;
    readonly images: readonly Image[];
    readonly tIndexLists: readonly (readonly number[])[];
  },
): Promise<Figure[]> {
  const figures: Figure[] = [];
  const guidances = ['full', 'self', 'initialize'] as const;
  for (const t_index_list of tIndexLists) {
    const n = t_index_list.length;
    const steps = `${n} step${n > 1 ? 's' : ''}`;
    const of = (cfg_type: (typeof guidances)[number]): StreamParameters => {
      return { ...base, t_index_list: [...t_index_list], denoise: 'stream', cfg_type };
    };
    const alone = await inTurns(guidances, (name) => pass(run, of(name), images));
    const crowded = await inTurns(guidances, (name) => rowInFullCalls(run, of(name), images.slice(0, 4)));
    for (const name of ['self', 'initialize'] as const) {
      const rows = ratio(
        alone.full.map((p) => p.rows),
        alone[name].map((p) => p.rows),
      );
      const time = ratio(
        alone.full.map((p) => p.unet),
        alone[name].map((p) => p.unet),
      );
      const own = name === 'self' ? n : n + 1;
      const predicted = cost(costs, 2 * n) / cost(costs, own) / ((2 * n) / own);
      const what = `U-Net time of full guidance over ${name}, ${steps}, against the ratio of rows (${rows.toFixed(2)})`;
      figures.push(
        {
          what: `${what}: ${sessions} sessions, in calls of ${crowded.full[0].rows} and ${crowded[name][0].rows}`,
          value: ratio(
            crowded.full.map(({ ms }) => ms),
            crowded[name].map(({ ms }) => ms),
          ),
          unit: 'x',
          goal: '0.97 to 1.03',
        },
        {
          what: `${what}: one alone`,
          value: time / rows,
          unit: 'x',
          goal: `${predicted.toFixed(2)} predicted`,
        },
      );
    }
  }
  return figures;
}

/** Measures the fullest calls of many sessions: rows, and milliseconds per row. */
async function rowInFullCalls(
  run: TestEngine,
  parameters: StreamParameters,
  images: readonly Image[],
): Promise<{ readonly rows: number; readonly ms: number }> {
  const streams = await Promise.all(
    Array.from({ length: sessions }, (_, i) => RecordedStream.open(run.engine, { ...parameters, seed: i })),
  );
  const calls = await callsDuring(run, async () => {
    await Promise.all(streams.map((stream) => play(stream, images)));
  });
  for (const { stream } of streams) stream.close();
  const rows = Math.max(...calls.map((call) => call.rows));
  return { rows, ms: median(calls.filter((call) => call.rows === rows).map(({ ms }) => ms / rows)) };
}
