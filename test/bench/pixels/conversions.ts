import { median, type Figure } from '../report.js';

/** Measures what JavaScript takes to convert a picture for a network and back, as it did before graphs did it. */
export function conversionFigures(side: number, rounds: number): Figure[] {
  const area = side * side;
  const bytes = Uint8Array.from({ length: 3 * area }, (_, i) => (i * 7) % 256);
  const planes = new Float32Array(3 * area);
  const out = new Uint8ClampedArray(3 * area);
  const [there, back]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    for (let i = 0; i < area; i++) {
      for (let channel = 0; channel < 3; channel++)
        planes[channel * area + i] = bytes[3 * i + channel] / 127.5 - 1;
    }
    const middle = performance.now();
    for (let i = 0; i < area; i++) {
      for (let channel = 0; channel < 3; channel++)
        out[3 * i + channel] = (planes[channel * area + i] + 1) * 127.5;
    }
    there.push(middle - start);
    back.push(performance.now() - middle);
  }
  if (out.some((byte, i) => byte !== bytes[i])) throw new Error('the conversions do not fit each other');
  return [
    { what: 'bytes to planes in JavaScript, as it was', value: median(there), unit: 'ms' },
    { what: 'planes to bytes in JavaScript, as it was', value: median(back), unit: 'ms' },
  ];
}
