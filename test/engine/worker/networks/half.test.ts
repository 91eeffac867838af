import assert from 'node:assert/strict';
import { it } from 'node:test';
import { floatsToHalves, halvesToFloats } from '../../../../src/engine/worker/networks/half.js';

function toHalves(...values: number[]): number[] {
  const halves = new Uint16Array(values.length);
  floatsToHalves(Float32Array.from(values), halves);
  return [...halves];
}

it('every half converts to a float and back unchanged', () => {
  const halves = Uint16Array.from({ length: 0x10000 }, (_, i) => i);
  const floats = new Float32Array(halves.length);
  const back = new Uint16Array(halves.length);
  halvesToFloats(halves, floats);
  floatsToHalves(floats, back);
  for (const [i, half] of halves.entries()) {
    const isNaN = (half & 0x7c00) === 0x7c00 && (half & 0x3ff) !== 0;
    // JavaScript has one NaN, of either sign.
    const wanted = isNaN ? [0x7e00, 0xfe00] : [half];
    assert.ok(wanted.includes(back[i]), `half ${half.toString(16)} became ${back[i].toString(16)}`);
  }
});

it('halves have the values that IEEE 754 defines', () => {
  const floats = new Float32Array(8);
  halvesToFloats(Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x8000, 0x7c00, 0x3555), floats);
  assert.deepEqual([...floats], [1, -2, 65504, 2 ** -14, 2 ** -24, -0, Infinity, 0.333251953125]);
});

it('floats round to the nearest half, ties to even, and overflow to infinity', () => {
  assert.deepEqual(
    toHalves(1 + 2 ** -11, 1 + 3 * 2 ** -11, 1 + 2 ** -11 + 2 ** -20),
    [0x3c00, 0x3c02, 0x3c01],
  );
  assert.deepEqual(toHalves(65519, 65520, -1e6, Infinity), [0x7bff, 0x7c00, 0xfc00, 0x7c00]);
  assert.deepEqual(toHalves(2 ** -25, 1.5 * 2 ** -24, 2 ** -15, -(2 ** -26)), [0, 2, 0x200, 0x8000]);
  const random = Float32Array.from({ length: 5000 }, (_, i) => Math.sin(i) * 10 ** (4 - (i % 12)));
  const halves = new Uint16Array(random.length);
  const rounded = new Float32Array(random.length);
  floatsToHalves(random, halves);
  halvesToFloats(halves, rounded);
  for (const [i, value] of random.entries()) {
    const step = Math.max(2 ** -24, 2 ** (Math.floor(Math.log2(Math.abs(value))) - 10));
    assert.ok(Math.abs(rounded[i] - value) <= step / 2, `${value} became ${rounded[i]}`);
  }
});
