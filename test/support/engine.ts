import { defaultParameters, type StreamParameters } from '@millrace/protocol';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { StreamState } from '../../src/diffusion/stream.js';
import type {
  Engine,
  EngineObserver,
  EngineState,
  EngineStream,
  GeneratedImage,
  OpenOptions,
  StreamListener,
} from '../../src/engine/engine.js';
import { parseDevice } from '../../src/engine/device.js';
import { createEngine, type EngineOptions } from '../../src/engine/host/supervisor.js';
import type { InferenceCall, WorkerTimings } from '../../src/engine/messages.js';
import { CalibrationFile } from '../../src/engine/worker/calibration/cache.js';
import type { Image } from '../../src/image/image.js';
import { readModelFolder } from '../../src/model/folder.js';
import { referenceModel, repositoryRoot } from './reference.js';

export const embeddedModel = join(repositoryRoot, 'ops/models/millrace-styles');
/** A fast model with random weights, for tests of everything around the networks. */
export const tinyModel = referenceModel();
/**
 * Settings with which the embedded model is measured once, and not in each test, which takes longer than most of them.
 * Delete the folder after a change to measurements.
 */
export const measuredOnce = {
  cacheDirectory: join(repositoryRoot, 'dist/measured'),
  calibration: 'kept',
} as const;

/** An engine that has started, with all that it reported. */
export interface TestEngine extends AsyncDisposable {
  readonly engine: Engine;
  readonly states: EngineState[];
  readonly calls: InferenceCall[];
  readonly lookups: boolean[];
  readonly notes: string[];
}

/** Returns options with which tests start an engine for a model. */
export function usualOptions(model: string) {
  return { model, threads: 1, cacheDirectory: null, ...(model === embeddedModel && measuredOnce) } as const;
}

export async function startEngine(model: string, options: Partial<EngineOptions> = {}): Promise<TestEngine> {
  return recordEngine((observer) =>
    createEngine({ ...usualOptions(model), device: 'cpu', observer, ...options }),
  );
}

/** Starts an engine, and records what it reports. */
export async function recordEngine(create: (observer: EngineObserver) => Engine): Promise<TestEngine> {
  const states: EngineState[] = [];
  const calls: TestEngine['calls'] = [];
  const lookups: boolean[] = [];
  const notes: string[] = [];
  const engine = create({
    onState: (state) => states.push(state),
    onNote: (note) => notes.push(note),
    onEvent(event) {
      if (event.type === 'inference') calls.push(event);
      if (event.type === 'embedding') lookups.push(event.hit);
    },
  });
  await engine.start();
  return {
    engine,
    states,
    calls,
    lookups,
    notes,
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}

/** Returns parameters for the tiny model, small enough to be fast. */
export function tinyParameters(changes: Partial<StreamParameters> = {}): StreamParameters {
  return {
    ...defaultParameters(),
    width: 64,
    height: 48,
    t_index_list: [18, 35],
    prompt: 'a fox',
    ...changes,
  };
}

/** A stream with a record of what became of its frames. */
export class RecordedStream implements StreamListener {
  readonly results = new Map<number, Uint8Array>();
  readonly timings: WorkerTimings[] = [];
  /** The number of results that came, including those that the test has thrown away. */
  generated = 0;
  readonly dropped = new Map<number, string>();
  readonly admitted: number[] = [];
  restarts = 0;
  closed: Error | null = null;
  #stream: EngineStream | null = null;
  readonly #waiting: (() => void)[] = [];

  static async open(
    engine: Engine,
    parameters: StreamParameters,
    options: OpenOptions = {},
  ): Promise<RecordedStream> {
    const recorded = new RecordedStream();
    recorded.#stream = await engine.openStream(parameters, recorded, options);
    return recorded;
  }

  get stream(): EngineStream {
    if (this.#stream === null) throw new Error('the stream is not open yet');
    return this.#stream;
  }

  /** Waits until the condition holds; it is checked after each event. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** The number of frames with a result or a drop. */
  get answered(): number {
    return this.results.size + this.dropped.size;
  }

  onAdmitted(frame: number): void {
    this.admitted.push(frame);
    this.#wake();
  }

  onDropped(frame: number, reason: string): void {
    this.dropped.set(frame, reason);
    this.#wake();
  }

  onResult(frame: number, image: GeneratedImage): Promise<void> {
    this.results.set(frame, image.data.slice());
    this.timings.push(image.timings);
    this.generated += 1;
    this.#wake();
    return Promise.resolve();
  }

  onRestart(): void {
    this.restarts += 1;
    this.#wake();
  }

  onClosed(reason: Error): void {
    this.closed = reason;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/**
 * Creates a cache folder with costs of a model on one thread, and returns the options of an engine that takes them, to
 * be called at the top of a file: a test that depends on which rows share a call, or on which of two engines is faster,
 * must not depend on the load of the machine during their measurement.
 * @param best the number of rows of the best calls.
 */
export async function keptCosts(
  best: 1 | 8 = 8,
  { model = tinyModel, device = 'cpu' } = {},
): Promise<{ readonly cacheDirectory: string; readonly calibration: 'kept' }> {
  const cacheDirectory = await mkdtemp(join(tmpdir(), 'millrace-'));
  after(() => rm(cacheDirectory, { recursive: true }));
  const { layout, latentChannels, pixelFactor, defaults } = await readModelFolder(model);
  const { file } = layout.unet.graph;
  const side = (pixels: number | undefined): number => (pixels ?? 64 * pixelFactor) / pixelFactor;
  const shape = [latentChannels, side(defaults.height), side(defaults.width)];
  const facts = { file, shape, device: parseDevice(device), threads: 1 };
  const isAny = (value: unknown): value is object => typeof value === 'object';
  const kept = await CalibrationFile.for(
    { directory: cacheDirectory, onNote: () => {} },
    'costs',
    facts,
    isAny,
  );
  const costs = [1, 2, 4, 8].map((rows) => ({ rows, ms: best === 8 ? 0.01 + rows / 10_000 : rows / 100 }));
  await kept.write({ costs, pictureMs: 0.01, pictureCosts: costs });
  return { cacheDirectory, calibration: 'kept' };
}

/** Returns the result of one picture in a separate stream; frames are RGB, of the parameters' size. */
export async function drawOnce(
  engine: Engine,
  parameters: StreamParameters,
  image: Image = testImage(0, parameters),
): Promise<Uint8Array> {
  const stream = await RecordedStream.open(engine, parameters);
  stream.stream.push(0, { image }, { replace: false });
  await stream.until(() => stream.answered === 1);
  stream.stream.close();
  const drawn = stream.results.get(0);
  if (drawn === undefined) throw new Error(`dropped: ${stream.dropped.get(0)}`);
  return drawn;
}

/** Sends frames to a stream of each of these users at once; returns their results. */
export async function drawTogether(
  engine: Engine,
  users: readonly StreamParameters[],
  frames: number,
): Promise<readonly ReadonlyMap<number, Uint8Array>[]> {
  const streams = await Promise.all(users.map((parameters) => RecordedStream.open(engine, parameters)));
  for (let frame = 0; frame < frames; frame++) {
    for (const [user, { stream }] of streams.entries())
      stream.push(frame, { image: testImage(frame, users[user]) }, { replace: false });
  }
  for (const recorded of streams) {
    await recorded.until(() => recorded.answered === frames);
    recorded.stream.close();
  }
  return streams.map((recorded) => recorded.results);
}

/**
 * Returns the state of a stream with several frames under way and some that have not entered. A snapshot is taken
 * between two turns: if this process asked too late, the stream has run dry, and another is tried.
 */
export async function breakOff(
  engine: Engine,
  parameters: StreamParameters,
  frames: number,
): Promise<StreamState> {
  for (let tries = 0; tries < 50; tries++) {
    const broken = await RecordedStream.open(engine, parameters);
    for (let frame = 0; frame < frames; frame++)
      broken.stream.push(frame, { image: testImage(frame, parameters) }, { replace: false });
    await broken.until(() => broken.admitted.length > 4);
    const state = await broken.stream.snapshot();
    broken.stream.close();
    if (state.frames.length > 1 && state.ordinal < frames - 1) return state;
  }
  throw new Error('no stream was left with several frames under way');
}

/** Returns a picture that differs from frame to frame. */
export function testImage(frame: number, { width, height }: { width: number; height: number }): Image {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) {
    const x = Math.floor(i / 3) % width;
    const y = Math.floor(i / 3 / width);
    data[i] = 128 + 100 * Math.sin((x + 7 * frame) / 9 + (i % 3)) * Math.cos(y / 7);
  }
  return { width, height, data };
}
