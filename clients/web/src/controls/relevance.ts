import type { Capabilities, ParameterUpdate } from '@millrace/client';
import { solversWith, type SolverName, type SolverOption } from '@millrace/protocol';
import type { ParameterName } from '../studio/parameter-desk.js';

type Properties = Capabilities['parameters']['properties'];

/** Parameters that count only together with others, solvers left aside. */
const conditions: Readonly<
  Partial<Record<ParameterName, (values: ParameterUpdate, properties: Properties) => boolean>>
> = {
  strength: ({ t_index_list }) => t_index_list == null,
  steps: ({ t_index_list }) => t_index_list == null,
  // A model that guides itself has no choice of cfg_type, and a guidance scale all the same.
  guidance_scale: ({ cfg_type }, properties) => cfg_type !== 'none' || properties.cfg_type.enum?.length === 1,
  negative_prompt: ({ cfg_type }) => cfg_type === 'full' || cfg_type === 'initialize',
  delta: ({ cfg_type }) => cfg_type === 'self' || cfg_type === 'initialize',
  noise_drift: ({ noise }) => noise === 'drift',
  similar_image_filter_threshold: ({ similar_image_filter }) => similar_image_filter === true,
  similar_image_filter_max_skip_frame: ({ similar_image_filter }) => similar_image_filter === true,
};

/** Whether a parameter has an effect with the others as they are. */
export function isUsed(name: ParameterName, values: ParameterUpdate, properties: Properties): boolean {
  const solvers: readonly SolverName[] | undefined =
    name in solversWith ? solversWith[name as SolverOption] : undefined;
  if (solvers && (values.solver === undefined || !solvers.includes(values.solver))) return false;
  return conditions[name]?.(values, properties) ?? true;
}
