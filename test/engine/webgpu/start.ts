// Starts an engine on WebGPU as commands do, and prints what the start is doing.
import { interruptible, oneLine, rejection } from '../../../src/cli/interruptible.js';
import { createEngine } from '../../../src/engine/host/supervisor.js';
import { tinyModel } from '../../support/engine.js';

const startTimeoutMs = Number(process.argv[2]);
await interruptible(
  async (signal) => {
    await using engine = createEngine({
      model: tinyModel,
      device: 'webgpu',
      threads: 1,
      cacheDirectory: null,
      startTimeoutMs,
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
