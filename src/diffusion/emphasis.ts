/**
 * Weighs the tokens of an encoded text in place: each token's values times its weight, then all of them times what
 * brings their mean back to what it was, so that the whole is no stronger than before (as AUTOMATIC1111's web UI
 * does it).
 * @param states [tokens, width]
 * @param weights one for each token.
 */
export function emphasise(states: Float32Array, weights: ArrayLike<number>): void {
  const width = states.length / weights.length;
  const before = sum(states);
  for (let i = 0; i < states.length; i++) states[i] *= weights[Math.floor(i / width)];
  const factor = before / sum(states);
  // Values that sum to nothing have no mean to bring back.
  if (!Number.isFinite(factor)) return;
  for (let i = 0; i < states.length; i++) states[i] *= factor;
}

function sum(values: Float32Array): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i];
  return total;
}
