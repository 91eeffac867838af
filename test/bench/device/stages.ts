import type { StreamParameters } from '@millrace/protocol';
import type { ModelRuntime } from '../../../src/engine/worker/networks/runtime.js';
import { blankRow } from '../../../src/engine/worker/networks/unet.js';
import { RecordedStream, testImage, tinyParameters, type TestEngine } from '../../support/engine.js';
import { median } from '../report.js';
import type { StageTimes } from './torch-side.js';

/** What both the networks alone and a stream are measured with. */
interface Trial {
  /** Side of the pictures, in pixels. */
  readonly side: number;
  readonly seconds: number;
}

/** Times of the networks alone. */
export type NetworkTimes = Omit<StageTimes, 'fps'>;

/** Fewest repetitions, on a slow device. */
const fewest = 3;

/** Measures the networks alone, with one call of the U-Net for all steps of a frame. Pictures are bytes on both ends. */
export async function measureNetworks(
  runtime: ModelRuntime,
  steps: number,
  { side, seconds }: Trial,
): Promise<NetworkTimes> {
  const size = { width: side, height: side };
  const shape = runtime.latentShape(size);
  const rows = Array.from({ length: steps }, (_, i) => blankRow(runtime.folder, shape, 499 - i));
  const pixels = testImage(0, size).data;
  const out = new Uint8ClampedArray(pixels.length);
  const latent = (await runtime.encodeOne(pixels, size)).slice();
  const each = seconds / 3;
  return {
    encodeMs: await medianMs(each, () => runtime.encodeOne(pixels, size)),
    unetMs: await medianMs(each, () => runtime.predict(rows, shape)),
    decodeMs: await medianMs(each, () => runtime.decodeOne(latent, size, out)),
  };
}

/** Returns the median of the milliseconds of an action, repeated for some seconds after a warm-up. */
async function medianMs(seconds: number, action: () => Promise<unknown>): Promise<number> {
  await action();
  const times: number[] = [];
  const begin = performance.now();
  while (times.length < fewest || performance.now() - begin < seconds * 1000) {
    const start = performance.now();
    await action();
    times.push(performance.now() - start);
  }
  return median(times);
}

/** One user of the engine who always has a frame waiting. */
export interface Pace {
  readonly fps: number;
  /** Milliseconds of a frame from its entry to its result. */
  readonly latencyMs: number;
  /** Share of the time in which no network ran. */
  readonly idleShare: number;
}

/** Measures one user of the engine with this number of steps. */
export async function measurePace(
  run: TestEngine,
  { steps, denoise }: { readonly steps: number; readonly denoise: StreamParameters['denoise'] },
  { side, seconds }: Trial,
): Promise<Pace> {
  const parameters = tinyParameters({
    width: side,
    height: side,
    prompt: 'oil painting',
    t_index_list: Array.from({ length: steps }, (_, i) => 25 + Math.floor((20 * i) / steps)),
    denoise,
  });
  const stream = await RecordedStream.open(run.engine, parameters);
  await play(stream, parameters, seconds / 8);
  const [call, frame, start] = [run.calls.length, stream.generated, performance.now()];
  await play(stream, parameters, seconds);
  const ms = performance.now() - start;
  stream.stream.close();
  const busyMs = run.calls.slice(call).reduce((sum, each) => sum + each.ms + each.pictureMs, 0);
  const timings = stream.timings.slice(frame);
  const latencies = timings.map((each) => each.vaeEncodeMs + each.denoiseMs + each.vaeDecodeMs);
  return {
    fps: (1000 * timings.length) / ms,
    latencyMs: median(latencies),
    idleShare: Math.max(0, 1 - busyMs / ms),
  };
}

/** Keeps one frame waiting for some seconds. */
async function play(stream: RecordedStream, size: StreamParameters, seconds: number): Promise<void> {
  const image = testImage(0, size);
  const end = performance.now() + seconds * 1000;
  const first = stream.admitted.length;
  for (let frame = first; performance.now() < end || stream.admitted.length - first < fewest; frame++) {
    stream.stream.push(frame, { image: { ...image, data: image.data.slice() } }, { replace: false });
    await stream.until(() => stream.admitted.length >= frame);
    stream.results.clear();
  }
}
