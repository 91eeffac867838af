import { setEnvironmentData } from 'node:worker_threads';
import { RecordedStream, startEngine, testImage, tinyModel, tinyParameters } from '../../support/engine.js';
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
  /** Milliseconds of that for each frame. */
  readonly msOfFrame: number;
}

/** Measures the engine around a device that takes a given time for each call, while every user has a frame waiting. */
export async function measureIdle(trials: readonly IdleTrial[]): Promise<readonly Idle[]> {
  const device = new PacedDevice();
  device.set(1, 'sleep');
  setEnvironmentData(pacedMemory, device.memory);
  const workerFile = new URL('paced-worker.js', import.meta.url);
  await using run = await startEngine(tinyModel, { workerFile });
  const results: Idle[] = [];
  for (const { unetMs, waiting, users, side, seconds } of trials) {
    device.set(unetMs, waiting);
    const parameters = tinyParameters({ width: side, height: side, t_index_list: [25], cfg_type: 'none' });
    const streams = await Promise.all(
      Array.from({ length: users }, (_, seed) => RecordedStream.open(run.engine, { ...parameters, seed })),
    );
    const image = testImage(0, parameters);
    let playing = true;
    const played = streams.map(async (stream) => {
      for (let frame = 0; playing; frame++) {
        const data = run.engine.allocate(image.data.length);
        data.set(image.data);
        stream.stream.push(frame, { image: { ...image, data } }, { replace: false });
        // Two frames are under way, so that one waits while the engine has the other.
        await stream.until(() => stream.admitted.length >= frame);
        stream.results.clear();
      }
    });
    await sleep(500);
    const before = streams.reduce((sum, { generated }) => sum + generated, 0);
    const [busyMs, start] = [device.busyMs, performance.now()];
    await sleep(seconds * 1000);
    const ms = performance.now() - start;
    const idleMs = ms - (device.busyMs - busyMs);
    const frames = streams.reduce((sum, { generated }) => sum + generated, 0) - before;
    playing = false;
    await Promise.all(played);
    for (const { stream } of streams) stream.close();
    results.push({ fps: (1000 * frames) / ms, share: idleMs / ms, msOfFrame: idleMs / frames });
  }
  return results;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
