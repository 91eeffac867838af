import assert from 'node:assert/strict';

/**
 * Asserts that max |got - want| <= tolerance * max(1, max |want|).
 * @param what names the tensor in the message.
 */
export function assertClose(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  assert.equal(got.length, want.length, `${what}: length`);
  let error = 0;
  let scale = 1;
  for (let i = 0; i < want.length; i++) {
    scale = Math.max(scale, Math.abs(want[i]));
    // Math.max keeps NaN, which then fails.
    error = Math.max(error, Math.abs(got[i] - want[i]));
  }
  assert.ok(error <= tolerance * scale, `${what}: differs by ${error}, allowed is ${tolerance * scale}`);
}

/** Returns the greatest difference between two images, in levels. */
export function greatestDifference(a: Uint8Array, b: Uint8Array): number {
  assert.equal(a.length, b.length, 'the images have the same size');
  return a.reduce((greatest, value, i) => Math.max(greatest, Math.abs(value - b[i])), 0);
}
