/**
 * Returns the positions in a schedule for a strength and a number of steps. As in diffusers' img2img, the last
 * `strength` of the schedule is run, but in exactly `steps` steps, evenly spaced.
 * @param strength 0 to 1; raised to the minimum that has room for the steps.
 * @param steps 1 to numInferenceSteps.
 */
export function timeIndices(strength: number, steps: number, numInferenceSteps: number): number[] {
  const start = Math.min(numInferenceSteps - steps, Math.round((1 - strength) * numInferenceSteps));
  const span = numInferenceSteps - start;
  return Array.from({ length: steps }, (_, i) => start + Math.floor((i * span) / steps));
}
