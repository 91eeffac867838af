/**
 * Weights the tokens of an encoded text in place: multiplies the values of each token by its weight, then all values by
 * the factor that restores their mean, so that the whole is no stronger than before (as in AUTOMATIC1111's web UI).
 * @param states [tokens, width]
 * @param weights one for each token.
 */
export function emphasise(states: Float32Array, weights: ArrayLike<number>): void {
  const width = states.length / weights.length;
  const before = sum(states);
  for (let i = 0; i < states.length; i++) states[i] *= weights[Math.floor(i / width)];
  const factor = before / sum(states);
  // If the sum is 0, there is no mean to restore.
  if (!Number.isFinite(factor)) return;
  for (let i = 0; i < states.length; i++) states[i] *= factor;
}

function sum(values: Float32Array): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i];
  return total;
}
