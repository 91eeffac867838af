import type { FastifyInstance } from 'fastify';
import type { EngineState } from '../../engine/engine.js';
import type { ParameterRules } from '../../session/live/parameter-rules.js';
import type { ImageRoutes } from '../images.js';
import { createDemo, type DemoOptions } from './demo.js';
import { createFal } from './fal.js';
import type { Program } from './program.js';
import { createSglang } from './sglang.js';

export interface ProgramsOptions extends Omit<ImageRoutes, 'messageBytes'>, Pick<DemoOptions, 'occupancy'> {
  readonly model: { readonly name: string; readonly description: string };
  readonly rules: Pick<ParameterRules, 'schema' | 'defaults' | 'modes'>;
  readonly engineState: () => EngineState;
}

/** Adds the endpoints of other programs with these names. @returns their protocols. */
export async function addPrograms(
  server: FastifyInstance,
  names: readonly ('demo' | 'fal' | 'sglang')[],
  { model, rules, occupancy, engineState, draining, ...routes }: ProgramsOptions,
): Promise<readonly Program[]> {
  const { defaults, modes, schema } = rules;
  const isReady = (): boolean => engineState().name === 'ready' && !draining();
  const programs: Program[] = [];
  for (const name of new Set(names)) {
    switch (name) {
      case 'demo':
        programs.push(
          createDemo({ model: { ...model, parameters: schema.properties }, defaults, occupancy }),
        );
        break;
      case 'fal':
        programs.push(await createFal({ defaults, modes }));
        break;
      case 'sglang':
        programs.push(createSglang({ model: model.name, modes, isReady, images: { ...routes, draining } }));
    }
  }
  for (const program of programs) program.addRoutes?.(server);
  return programs;
}
