import type { StreamParameters } from '@millrace/protocol';
import { createDemo, type DemoOptions } from './demo.js';
import { createFal } from './fal.js';
import type { OpenAiImagesOptions } from './openai-images.js';
import type { Program } from './program.js';
import { createSglang } from './sglang.js';

export interface ProgramsOptions extends Pick<DemoOptions, 'model' | 'occupancy'> {
  readonly defaults: StreamParameters;
  /** What the model is good for. */
  readonly modes: readonly StreamParameters['mode'][];
  /** Whether the server is ready for streams. */
  readonly isReady: () => boolean;
  readonly images: OpenAiImagesOptions['routes'];
  readonly metrics: OpenAiImagesOptions['metrics'];
}

/** Returns the protocols of other programs with these names. */
export async function createPrograms(
  names: readonly ('demo' | 'fal' | 'sglang')[],
  { model, defaults, modes, occupancy, isReady, images: routes, metrics }: ProgramsOptions,
): Promise<readonly Program[]> {
  const create: Record<(typeof names)[number], () => Program | Promise<Program>> = {
    demo: () => createDemo({ model, defaults, occupancy }),
    fal: () => createFal({ defaults, modes }),
    sglang: () => createSglang({ model: model.name, modes, isReady, images: { routes, metrics } }),
  };
  return Promise.all([...new Set(names)].map((name) => create[name]()));
}
