import type { Capabilities, ParameterUpdate } from '@millrace/client';
import { solversWith, type SolverName, type SolverOption } from '@millrace/protocol';
import type { ParameterName } from '../studio/parameter-desk.js';

type Properties = Capabilities['parameters']['properties'];

/** When parameters have an effect, by the values of others; the solver is checked separately. */
const conditions: Readonly<
  Partial<Record<ParameterName, (values: ParameterUpdate, properties: Properties) => boolean>>
> = {
  strength: ({ t_index_list }) => t_index_list == null,
  steps: ({ t_index_list }) => t_index_list == null,
  // A model with a guidance embedding has only one cfg_type, but uses the guidance scale.
  guidance_scale: ({ cfg_type }, properties) => cfg_type !== 'none' || properties.cfg_type.enum?.length === 1,
  negative_prompt: ({ cfg_type }) => cfg_type === 'full' || cfg_type === 'initialize',
  delta: ({ cfg_type }) => cfg_type === 'self' || cfg_type === 'initialize',
  noise_drift: ({ noise }) => noise === 'drift',
  similar_image_filter_threshold: ({ similar_image_filter }) => similar_image_filter === true,
  similar_image_filter_max_skip_frame: ({ similar_image_filter }) => similar_image_filter === true,
};

/** Returns whether a parameter has an effect, given the values of the others. */
export function isUsed(name: ParameterName, values: ParameterUpdate, properties: Properties): boolean {
  const solvers: readonly SolverName[] | undefined =
    name in solversWith ? solversWith[name as SolverOption] : undefined;
  if (solvers && (values.solver === undefined || !solvers.includes(values.solver))) return false;
  return conditions[name]?.(values, properties) ?? true;
}
