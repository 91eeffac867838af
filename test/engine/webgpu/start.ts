// Starts an engine on WebGPU as commands do, and prints what the start is doing.
import { oneLine } from '../../../src/engine/as-error.js';
import { interruptible, rejection } from '../../../src/cli/interruptible.js';
import { createEngine } from '../../../src/engine/host/supervisor.js';

const [, , model = '', startTimeoutMs] = process.argv;
await interruptible(
  async (signal) => {
    await using engine = createEngine({
      model,
      device: 'webgpu',
      threads: 1,
      cacheDirectory: null,
      startTimeoutMs: Number(startTimeoutMs),
      observer: {
        onState: (state) => 'what' in state && process.stdout.write(`${state.what}\n`),
        onNote: () => {},
        onEvent: () => {},
      },
    });
    await Promise.race([engine.start(), rejection(signal)]);
  },
  { explain: oneLine },
);
