import type { StreamParameters } from '@millrace/protocol';
import { readModelFolder } from '../../../src/model/folder.js';
import { RecordedStream, startEngine, testImage, tinyParameters } from '../../support/engine.js';
import { inTurns, ratio } from '../pipeline-rig.js';
import { median, type Figure } from '../report.js';

/** Users to measure, of a model with ControlNets. */
export interface UserTrials {
  readonly folder: string;
  readonly users: number;
  /** Frames of each user in a round. */
  readonly frames: number;
  /** Side of the pictures, in pixels. */
  readonly side: number;
  readonly rounds: number;
  readonly threads: number;
}

/** Compares the frames per second of users of whom half use a ControlNet with those of users who use none. */
export async function userFigures(trials: UserTrials): Promise<Figure[]> {
  const { folder, users, frames, side, rounds, threads } = trials;
  await using run = await startEngine(folder, { threads });
  const { steered: layout } = (await readModelFolder(folder)).layout;
  const control = layout?.controls.find(({ type }) => type === 'controlnet')?.name ?? '';
  const size = { width: side, height: side };
  const base = tinyParameters({ ...size, t_index_list: [25], cfg_type: 'none' });
  const steered: StreamParameters = { ...base, controls: { [control]: { scale: 1 } } };

  /** Lets all users send frames, each when the one before has entered. @returns their frames per second. */
  const play = async (count: number): Promise<number> => {
    const streams = await Promise.all(
      Array.from({ length: users }, (_, i) =>
        RecordedStream.open(run.engine, { ...(i < count ? steered : base), seed: i }),
      ),
    );
    const start = performance.now();
    await Promise.all(
      streams.map(async (stream, i) => {
        for (let frame = 0; frame < frames; frame++) {
          const image = testImage(frame, size);
          const pictures = i < count ? { controls: { [control]: testImage(frame + i, size) } } : {};
          stream.stream.push(frame, { image, ...pictures }, { replace: false });
          await stream.until(() => stream.admitted.length > frame);
        }
        await stream.until(() => stream.answered === frames);
      }),
    );
    const seconds = (performance.now() - start) / 1000;
    for (const { stream } of streams) stream.close();
    return (users * frames) / seconds;
  };

  const half = users / 2;
  const { none, some } = await inTurns(['none', 'some'], (name) => play(name === 'some' ? half : 0), rounds);
  const what = `frames per second of ${users} users`;
  return [
    { what: `${what} who use no ControlNet`, value: median(none), unit: '/s' },
    { what: `${what} of whom ${half} use one, over this`, value: ratio(some, none), unit: 'x' },
  ];
}
