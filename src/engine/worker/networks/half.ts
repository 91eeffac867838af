// IEEE 754 half precision in Uint16Arrays: ONNX Runtime's form of float16 if JavaScript has no Float16Array (before
// Node 24).

const value = new Float32Array(1);
const bits = new Uint32Array(value.buffer);

/** Rounds to the nearest half, ties to even; too large values become infinite. Arrays have equal lengths. */
export function floatsToHalves(floats: Float32Array, halves: Uint16Array): void {
  for (let i = 0; i < floats.length; i++) {
    value[0] = floats[i] ?? 0;
    const whole = bits[0] ?? 0;
    const sign = (whole >>> 16) & 0x8000;
    const magnitude = whole & 0x7fffffff;
    halves[i] = sign | halfOf(magnitude);
  }
}

/** @param magnitude bits of a float without its sign. */
function halfOf(magnitude: number): number {
  // From 65520 on, the nearest half is infinity; NaN stays NaN.
  if (magnitude >= 0x477ff000) return magnitude > 0x7f800000 ? 0x7e00 : 0x7c00;
  if (magnitude >= 0x38800000) {
    // Changes the exponent bias from 127 to 15. Adding just under half a unit, plus the last kept bit, rounds to even.
    return (magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13;
  }
  // Below 2^-14, halves are multiples of 2^-24: adding 0.5 makes the float addition round to those.
  bits[0] = magnitude;
  value[0] = (value[0] ?? 0) + 0.5;
  return (bits[0] ?? 0) & 0xffff;
}

let table: Float32Array | undefined;

/** Converts exactly. Arrays have equal lengths. */
export function halvesToFloats(halves: Uint16Array, floats: Float32Array): void {
  const floatOf = (table ??= Float32Array.from({ length: 0x10000 }, (_, half) => toNumber(half)));
  for (let i = 0; i < halves.length; i++) floats[i] = floatOf[halves[i] ?? 0] ?? 0;
}

function toNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
