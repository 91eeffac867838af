import { setEnvironmentData } from 'node:worker_threads';
import type { Engine } from '../../../src/engine/engine.js';
import type { Size } from '../../../src/engine/worker/networks/sizes.js';
import { RecordedStream, startEngine, testImage, tinyModel, tinyParameters } from '../../support/engine.js';
import { median } from '../report.js';
import { processorMs } from '../thread-clock.js';
import { PacedDevice, pacedMemory, type Waiting } from './paced-device.js';

/** One measurement. */
export interface IdleTrial {
  /** Milliseconds of a U-Net call. */
  readonly unetMs: number;
  readonly waiting: Waiting;
  readonly users: number;
  readonly side: number;
  readonly seconds: number;
}

export interface Idle {
  /** Frames per second of all users. */
  readonly fps: number;
  /** Share of the time in which the device waited for the next call. */
  readonly share: number;
  /** Milliseconds of that from one U-Net call to the next: the median, which other load on the machine affects less. */
  readonly medianMs: number;
  /** What the share would be if all took the median. */
  readonly medianShare: number;
  /**
   * Processor time of the inference thread for each U-Net call, without what the device spins, and what the share would be
   * if that were all: other load on the machine affects it least. NaN where the system does not tell, or the device spins.
   */
  readonly processorMs: number;
  readonly processorShare: number;
}

/**
 * Measures the engine around a device that takes a given time for each call, while every user has a frame waiting.
 * @param warmUp measured before, and left out: V8 compiles what runs often, which takes the first thousands of frames.
 */
export async function measureIdle(
  trials: readonly IdleTrial[],
  warmUp: readonly IdleTrial[] = [],
): Promise<readonly Idle[]> {
  const device = new PacedDevice();
  device.set(1, 'sleep');
  setEnvironmentData(pacedMemory, device.memory);
  const workerFile = new URL('paced-worker.js', import.meta.url);
  await using run = await startEngine(tinyModel, { workerFile });
  const results: Idle[] = [];
  for (const { unetMs, waiting, users, side, seconds } of [...warmUp, ...trials]) {
    device.set(unetMs, waiting);
    const parameters = tinyParameters({ width: side, height: side, t_index_list: [25], cfg_type: 'none' });
    const streams = await Promise.all(
      Array.from({ length: users }, (_, seed) => RecordedStream.open(run.engine, { ...parameters, seed })),
    );
    const end = new AbortController();
    const played = streams.map((stream) => play(run.engine, stream, parameters, end.signal));
    await sleep(500);
    const before = streams.reduce((sum, { generated }) => sum + generated, 0);
    const [busyMs, calls, start] = [device.busyMs, device.calls, performance.now()];
    const had = processorMs(device.thread);
    await sleep(seconds * 1000);
    const ms = performance.now() - start;
    const busy = device.busyMs - busyMs;
    const made = device.calls - calls;
    const perCall = waiting === 'sleep' ? (processorMs(device.thread) - had) / made : NaN;
    const medianMs = median(device.lastWaits(made));
    const frames = streams.reduce((sum, { generated }) => sum + generated, 0) - before;
    end.abort();
    await Promise.all(played);
    for (const { stream } of streams) stream.close();
    results.push({
      fps: (1000 * frames) / ms,
      share: 1 - busy / ms,
      medianMs,
      medianShare: medianMs / (medianMs + busy / made),
      processorMs: perCall,
      processorShare: perCall / (perCall + busy / made),
    });
  }
  return results.slice(warmUp.length);
}

/** Keeps a frame of a stream waiting, until the signal. */
async function play(
  engine: Engine,
  recorded: RecordedStream,
  size: Size,
  signal: AbortSignal,
): Promise<void> {
  const { width, height, data } = testImage(0, size);
  for (let frame = 0; !signal.aborted; frame++) {
    const copy = engine.allocate(data.length);
    copy.set(data);
    recorded.stream.push(frame, { image: { width, height, data: copy } }, { replace: false });
    await recorded.until(() => recorded.admitted.length >= frame);
    recorded.results.clear();
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
