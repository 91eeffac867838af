import type { FrameState, Plan } from '../../../diffusion/in-flight.js';
import { allFinite } from '../networks/finite.js';
import { volume } from '../networks/sizes.js';

/** Returns whether a frame from another engine can continue with this plan: a model may have other latents or stages. */
export function fitsPlan(
  { sample, stock, stageIndex, kept }: FrameState,
  { shape, solver }: Pick<Plan, 'shape' | 'solver'>,
): boolean {
  const length = volume(shape);
  const [channels] = shape;
  const latents = kept ? [sample, stock, kept.original] : [sample, stock];
  return (
    latents.every((latent) => latent.length === length && allFinite(latent)) &&
    (!kept || (kept.mask.length === length / channels && allFinite(kept.mask))) &&
    stageIndex < solver.stages.length
  );
}
