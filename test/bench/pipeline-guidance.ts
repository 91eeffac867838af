import type { StreamParameters } from '@millrace/protocol';
import { cost, type CostCurve } from '../../src/engine/costs.js';
import type { Image } from '../../src/image/image.js';
import { RecordedStream, type TestEngine } from '../support/engine.js';
import { callsDuring, inTurns, pass, play, ratio } from './pipeline-rig.js';
import { median, type Figure } from './report.js';

/** Enough for calls that are full, whatever the guidance. */
const sessions = 8;

/**
 * What full guidance costs over residual guidance, in the stream batch as in the paper, against the ratio of U-Net
 * rows. Where calls hold as many rows, as those of many sessions do, time follows rows. Those of a stream alone hold
 * twice as many with full guidance, which a network does in less than twice the time: what calibration measured of
 * calls of such sizes foretells by how much.
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
    const together = await inTurns(guidances, (name) => rowInFullCalls(run, of(name), images.slice(0, 4)));
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
      const foretold = cost(costs, 2 * n) / cost(costs, own) / ((2 * n) / own);
      const what = `U-Net time of full guidance over ${name}, ${steps}, against the ratio of rows (${rows.toFixed(2)})`;
      figures.push(
        {
          what: `${what}: ${sessions} sessions, in calls of ${together.full[0].rows} and ${together[name][0].rows}`,
          value: ratio(
            together.full.map(({ ms }) => ms),
            together[name].map(({ ms }) => ms),
          ),
          unit: 'x',
          goal: '0.97 to 1.03',
        },
        {
          what: `${what}: one alone`,
          value: time / rows,
          unit: 'x',
          goal: `${foretold.toFixed(2)} foretold`,
        },
      );
    }
  }
  return figures;
}

/** The fullest calls that many sessions make: rows, and milliseconds of each. */
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
