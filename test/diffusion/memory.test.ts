import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SeededNoise } from '../../src/diffusion/noise.js';
import { Stream } from '../../src/diffusion/stream.js';
import { createStream } from './streams.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function memory(): { heap: number; external: number } {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return { heap: heapUsed, external };
}

test('memory is flat over 20,000 frames, for every guidance, and with masks', () => {
  // Small, since a latent a frame would be 10 MB in the end.
  const shape = [4, 16, 16] as const;
  const length = 4 * 16 * 16;
  const latent = new Float32Array(length).fill(0.5);
  const prediction = new Float32Array(length).fill(0.1);
  const mask = new Float32Array(16 * 16).fill(0.5);
  const kinds = [['none'], ['full'], ['self', mask], ['initialize']] as const;
  for (const [cfgType, masked = null] of kinds) {
    const { plan, steering, admission } = createStream({ cfgType, t_index_list: [18, 26, 35, 45] });
    const noise = new SeededNoise([{ seed: 2, weight: 1 }], length, 0);
    const stream = new Stream({ ...plan, shape, noise }, steering, admission);
    let largest = 0;
    let frame = 0;
    const growths = Array.from({ length: 10 }, () => {
      const before = memory();
      for (const end = frame + 500; frame < end; frame++) {
        stream.admit(frame, latent, {}, masked);
        for (const lane of stream.lanes())
          stream.absorb(
            lane,
            lane.rows.map(() => prediction),
          );
        // Between collections too: latents are not allocated for each frame.
        largest = Math.max(largest, process.memoryUsage().arrayBuffers);
      }
      const after = memory();
      return { heap: after.heap - before.heap, external: after.external - before.external };
    });
    // What leaks grows each time. V8 compiles and forgets code whenever it likes, which may take or free half a megabyte
    // once: so the least does not count, since that may be where code was freed.
    for (const kind of ['heap', 'external'] as const) {
      const [, second = NaN] = growths.map((growth) => growth[kind]).sort((a, b) => a - b);
      assert.ok(second < 20_000, `${cfgType}: ${kind} grew by ${second} bytes or more in most of 500 frames`);
    }
    assert.ok(largest < 1e6, `${cfgType}: ${largest} bytes of arrays at a time`);
  }
});
