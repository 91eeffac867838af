/**
 * The positions in a schedule that the plain pair of strength and steps stands for: as in diffusers' img2img the
 * last `strength` of the schedule is run, here in exactly `steps` steps, spread evenly over it.
 * @param strength 0 to 1; so little that the steps do not fit counts as the least that they fit in.
 * @param steps 1 to numInferenceSteps.
 */
export function timeIndices(strength: number, steps: number, numInferenceSteps: number): number[] {
  const start = Math.min(numInferenceSteps - steps, Math.round((1 - strength) * numInferenceSteps));
  const span = numInferenceSteps - start;
  return Array.from({ length: steps }, (_, i) => start + Math.floor((i * span) / steps));
}
