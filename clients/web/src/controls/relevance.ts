import type { ParameterUpdate } from '@millrace/client';
import type { ParameterName } from '../studio/parameter-desk.js';

/** Parameters that count only together with others; all the rest always do. */
const conditions: Readonly<Partial<Record<ParameterName, (values: ParameterUpdate) => boolean>>> = {
  strength: ({ t_index_list }) => t_index_list == null,
  steps: ({ t_index_list }) => t_index_list == null,
  guidance_scale: ({ cfg_type }) => cfg_type !== 'none',
  negative_prompt: ({ cfg_type }) => cfg_type === 'full' || cfg_type === 'initialize',
  delta: ({ cfg_type }) => cfg_type === 'self' || cfg_type === 'initialize',
  noise_drift: ({ noise }) => noise === 'drift',
  similar_image_filter_threshold: ({ similar_image_filter }) => similar_image_filter === true,
  similar_image_filter_max_skip_frame: ({ similar_image_filter }) => similar_image_filter === true,
  solver_order: ({ solver }) => solver !== undefined && /^(DPMSolver|DEIS|UniPC)/.test(solver),
  algorithm_type: ({ solver }) => solver === 'DPMSolverMultistepScheduler',
  use_karras_sigmas: ({ solver }) => solver === 'DPMSolverMultistepScheduler',
  eta: ({ solver }) => solver === 'DDIMScheduler',
  gamma: ({ solver }) => solver === 'TCDScheduler',
  do_add_noise: ({ solver }) => solver === 'LCMScheduler',
};

/** Whether a parameter has an effect with the others as they are. */
export function isUsed(name: ParameterName, values: ParameterUpdate): boolean {
  return conditions[name]?.(values) ?? true;
}
