import type { StreamParameters } from '@millrace/protocol';
import type { Image } from '../../src/image/image.js';
import { RecordedStream, type TestEngine } from '../support/engine.js';
import { median } from './report.js';

const rounds = 3;

/** The cost of some frames of one stream. */
export interface Pass {
  /** Milliseconds of U-Net calls. */
  readonly unet: number;
  readonly wall: number;
  readonly rows: number;
  readonly results: number;
  readonly latencies: readonly number[];
}

/** Returns the calls that an engine makes during `work`. */
export async function callsDuring(run: TestEngine, work: () => Promise<void>): Promise<TestEngine['calls']> {
  const first = run.calls.length;
  await work();
  return run.calls.slice(first);
}

/** Passes frames through a stream, each when the previous one has been admitted. */
export async function play(stream: RecordedStream, images: readonly Image[]): Promise<void> {
  for (const [frame, image] of images.entries()) {
    stream.stream.push(frame, { image: { ...image, data: image.data.slice() } }, { replace: false });
    await stream.until(() => stream.admitted.length + stream.dropped.size > frame);
  }
  await stream.until(() => stream.answered === images.length);
}

export async function pass(
  run: TestEngine,
  parameters: StreamParameters,
  images: readonly Image[],
): Promise<Pass> {
  const stream = await RecordedStream.open(run.engine, parameters);
  const start = performance.now();
  const calls = await callsDuring(run, () => play(stream, images));
  const wall = performance.now() - start;
  stream.stream.close();
  return {
    unet: calls.reduce((sum, { ms }) => sum + ms, 0),
    wall,
    rows: calls.reduce((sum, { rows }) => sum + rows, 0),
    results: stream.results.size,
    latencies: stream.timings.map(
      (timings) => timings.queueMs + timings.vaeEncodeMs + timings.denoiseMs + timings.vaeDecodeMs,
    ),
  };
}

/** What a client with a camera sees of a stream. */
export interface View {
  /** Results per second. */
  readonly fps: number;
  /** Milliseconds from taking a picture to its result, with the wait for the engine. */
  readonly latencies: readonly number[];
}

/** Shows a stream what a camera of 30 frames per second sees for some seconds: a new frame replaces a waiting one. */
export async function watch(
  run: TestEngine,
  parameters: StreamParameters,
  images: readonly Image[],
  seconds: number,
): Promise<View> {
  const recorded = await RecordedStream.open(run.engine, parameters);
  const taken: number[] = [];
  const latencies: number[] = [];
  const seen = new Set<number>();
  const start = performance.now();
  const camera = setInterval(() => {
    const image = images[taken.length % images.length];
    recorded.stream.push(taken.length, { image: { ...image, data: image.data.slice() } }, { replace: true });
    taken.push(performance.now());
  }, 1000 / 30);
  // The frames of the first half second meet an idle engine and do not count.
  const countFrom = start + 500;
  await recorded.until(() => {
    const now = performance.now();
    for (const frame of recorded.results.keys()) {
      if (seen.has(frame)) continue;
      seen.add(frame);
      if (taken[frame] >= countFrom) latencies.push(now - taken[frame]);
    }
    return now - start > seconds * 1000;
  });
  clearInterval(camera);
  recorded.stream.close();
  return { fps: latencies.length / (seconds - 0.5), latencies };
}

/** Measures variants in turns, so that all meet similar conditions; the first round warms up. */
export async function inTurns<Name extends string, Result>(
  names: readonly Name[],
  measure: (name: Name) => Promise<Result>,
  count: number = rounds,
): Promise<Readonly<Record<Name, readonly Result[]>>> {
  const results = Object.fromEntries(names.map((name) => [name, [] as Result[]])) as Record<Name, Result[]>;
  for (let round = 0; round <= count; round++) {
    for (const name of names) {
      const result = await measure(name);
      if (round > 0) results[name].push(result);
    }
  }
  return results;
}

/** Returns the median of the ratios of pairs of consecutive measurements. */
export function ratio(over: readonly number[], under: readonly number[]): number {
  return median(over.map((value, i) => value / under[i]));
}
