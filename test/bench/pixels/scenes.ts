import { defaultParameters, type StreamParameters } from '@millrace/protocol';
import type { WorkerOptions } from '../../../src/engine/messages.js';
import { ModelCopy } from '../../model/model-copy.js';
import { randomGraph, writePreprocessor } from '../../support/preprocessor-model.js';
import { classifierGraph, writeSafetyChecker } from '../../support/safety-model.js';
import type { Figure } from '../report.js';
import { TimedEngine } from './thread-time.js';

export interface Scenes {
  readonly model: string;
  /** Of pictures, in pixels. */
  readonly side: number;
  /** Frames of each scene that count, and those before them. */
  readonly frames: number;
  readonly warmUp: number;
  /** Folder for calibration, and whether it is measured. */
  readonly kept?: Pick<WorkerOptions, 'cacheDirectory' | 'calibration'>;
}

type Changes = Partial<StreamParameters>;

const scenes: Readonly<Record<string, Changes>> = {
  'one step': {},
  'with pixel feedback': { pixel_feedback: 0.3 },
  'with a mask': { mask: 'ellipse', mask_feather: 0 },
  'with the similarity filter': { similar_image_filter: true, similar_image_filter_threshold: 1 },
};

/** Measures what frames take of the inference thread besides the device, with what changes their pictures. */
export async function sceneFigures(options: Scenes): Promise<Figure[]> {
  const { model, kept } = options;
  const figures = await measure('', { model, ...kept }, options, scenes);
  await using copy = await ModelCopy.create(model);
  const config = { title: 'Halves', output: { kind: 'mask', channel: 0 } };
  await writePreprocessor(copy.folder, 'halves', randomGraph(1).graph, config);
  await writeSafetyChecker(copy.folder, classifierGraph(2).graph, {});
  const checked = { model: copy.folder, safetyChecker: 'on', ...kept } as const;
  figures.push(
    ...(await measure(' and a safety checker', checked, options, {
      'one step': {},
      'with a mask of a network': { mask_preprocessor: 'halves', mask_feather: 0 },
    })),
  );
  return figures;
}

async function measure(
  also: string,
  engine: Partial<WorkerOptions>,
  { side, ...count }: Scenes,
  all: Readonly<Record<string, Changes>>,
): Promise<Figure[]> {
  await using timed = await TimedEngine.start(engine);
  const figures: Figure[] = [];
  for (const [name, changes] of Object.entries(all)) {
    const parameters = { ...defaultParameters(), width: side, height: side, t_index_list: [25], ...changes };
    const { all, graphs } = await timed.measure(parameters, count);
    figures.push(
      { what: `${name}${also}`, value: all, unit: 'ms', goal: 'under 0.5' },
      ...(graphs > 0 ? [{ what: `${name}${also}: in graphs on the CPU`, value: graphs, unit: 'ms' }] : []),
    );
  }
  return figures;
}
