import process from 'node:process';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { parseDevice } from '../../../src/engine/device.js';
import { sessionOptions } from '../../../src/engine/worker/devices/session-options.js';
import { readSignature } from '../../../src/model/onnx/signature.js';
import { median } from '../report.js';

// Runs a U-Net with random inputs, and prints the median milliseconds of a call and the megabytes that calls need besides
// the network, as JSON: run-graph.js FILE DEVICE ROWS SIDE ROUNDS THREADS
const [, , file = '', device = '', ...numbers] = process.argv;
const [rows, side, rounds, threads] = numbers.map(Number);
/** Free sizes of the sample, the embedding of a prompt, and timesteps, by the number of their axes. */
const free: Readonly<Record<number, readonly number[]>> = {
  4: [rows, 4, side, side],
  3: [rows, 77],
  1: [rows],
};
const feeds = readSignature(file).inputs.map(({ name, type, shape }) => {
  const own = shape.map((size, axis) => (typeof size === 'number' ? size : free[shape.length][axis]));
  const count = own.reduce((product, size) => product * size, 1);
  const tensor =
    type === 'int64'
      ? new Tensor('int64', new BigInt64Array(count).fill(500n), own)
      : new Tensor(
          'float32',
          Float32Array.from({ length: count }, (_, i) => Math.sin(1.7 * i)),
          own,
        );
  return [name, tensor] as const;
});
const options = sessionOptions(parseDevice(device), { threads, cacheDirectory: null });
const session = await InferenceSession.create(file, options);
const before = process.resourceUsage().maxRSS;
const times: number[] = [];
// The first call warms up.
for (let round = 0; round <= rounds; round++) {
  const start = performance.now();
  await session.run(Object.fromEntries(feeds));
  if (round > 0) times.push(performance.now() - start);
}
console.log(JSON.stringify({ ms: median(times), mb: (process.resourceUsage().maxRSS - before) / 1024 }));
