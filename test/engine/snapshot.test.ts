import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineStream } from '../../src/engine/engine.js';
import {
  breakOff,
  keptCosts,
  RecordedStream,
  testImage,
  tinyModel,
  tinyParameters,
} from '../support/engine.js';
import { startBorrowedEngine } from '../support/engine-pool.js';
import { greatestDifference } from '../support/compare.js';

/**
 * Four frames under way at a time, each with the noise of its place in the stream; large ones, so that a turn takes
 * longer than a message to arrive.
 */
const parameters = tinyParameters({
  t_index_list: [12, 20, 30, 40],
  denoise: 'stream',
  noise: 'drift',
  width: 256,
  height: 256,
});
const kept = await keptCosts();
const frames = 40;

test('a stream continues in another engine as it would have in the first', async () => {
  await using first = await startBorrowedEngine(tinyModel, kept);
  const whole = await RecordedStream.open(first.engine, parameters);
  for (let frame = 0; frame < frames; frame++)
    whole.stream.push(frame, { image: testImage(frame, parameters) }, { replace: false });
  await whole.until(() => whole.answered === frames);

  const state = await breakOff(first.engine, parameters, frames);
  const next = state.ordinal;
  const end = Math.min(frames, next + 5);

  await using second = await startBorrowedEngine(tinyModel);
  const resumed = new RecordedStream();
  const stream = await second.engine.openStream(parameters, resumed, { state: structuredClone(state) });
  for (let frame = next; frame < end; frame++)
    stream.push(frame, { image: testImage(frame, parameters) }, { replace: false });
  const wanted = end - next + state.frames.length;
  await resumed.until(() => resumed.answered === wanted);
  for (const [frame, data] of resumed.results) {
    const difference = greatestDifference(data, whole.results.get(frame) ?? new Uint8Array());
    assert.ok(difference <= 1, `frame ${frame} differs by ${difference}`);
  }
  assert.deepEqual(
    [...resumed.results.keys()],
    Array.from({ length: wanted }, (_, i) => end - wanted + i),
  );
});

test('feedback continues from the last result, of latents and of pictures', async () => {
  for (const share of [{ pixel_feedback: 0.8 }, { latent_feedback: 0.5, pixel_feedback: 0.3 }]) {
    const own = tinyParameters({ t_index_list: [20, 40], denoise: 'sequential', ...share });
    const push = (stream: EngineStream, frame: number): void =>
      stream.push(frame, { image: testImage(frame, own) }, { replace: false });
    await using first = await startBorrowedEngine(tinyModel, kept);
    const whole = await RecordedStream.open(first.engine, own);
    for (const frame of [0, 1, 2]) {
      push(whole.stream, frame);
      await whole.until(() => whole.answered === frame + 1);
    }
    const state = await whole.stream.snapshot();
    push(whole.stream, 3);
    await whole.until(() => whole.answered === 4);

    await using second = await startBorrowedEngine(tinyModel);
    const ends: Uint8Array[] = [];
    for (const start of [state, { ...state, finished: new Float32Array(5) }]) {
      const resumed = new RecordedStream();
      const stream = await second.engine.openStream(own, resumed, { state: structuredClone(start) });
      push(stream, 3);
      await resumed.until(() => resumed.answered === 1);
      ends.push(resumed.results.get(3) ?? new Uint8Array());
    }
    const wanted = whole.results.get(3) ?? new Uint8Array();
    const [same, anew] = ends.map((data) => greatestDifference(data, wanted));
    assert.ok(same !== undefined && same <= 1, `differs by ${same}`);
    assert.ok(anew !== undefined && anew > 1, 'without a latent that fits, the feedback starts over');
  }
});

test('a prompt transition continues from where it was', async () => {
  const still = tinyParameters({ t_index_list: [30], width: 256, height: 256 });
  const turned = { ...still, prompt: 'a red tower', transition_frames: 8 };
  const push = (stream: EngineStream, frame: number): void =>
    stream.push(frame, { image: testImage(frame, still) }, { replace: false });
  await using run = await startBorrowedEngine(tinyModel);
  const whole = await RecordedStream.open(run.engine, still);
  push(whole.stream, 0);
  await whole.until(() => whole.answered === 1);
  await whole.stream.configure(turned);
  for (const frame of [1, 2, 3]) push(whole.stream, frame);
  await whole.until(() => whole.answered === 4);
  const state = await whole.stream.snapshot();
  for (const frame of [4, 5, 6]) push(whole.stream, frame);
  await whole.until(() => whole.answered === 7);

  const resumed = new RecordedStream();
  const stream = await run.engine.openStream(turned, resumed, { state: structuredClone(state) });
  for (const frame of [4, 5, 6]) push(stream, frame);
  await resumed.until(() => resumed.answered === 3);
  const fresh = new RecordedStream();
  const other = await run.engine.openStream(turned, fresh, { state: { ordinal: state.ordinal, frames: [] } });
  for (const frame of [4, 5, 6]) push(other, frame);
  await fresh.until(() => fresh.answered === 3);
  for (const [frame, data] of resumed.results) {
    const wanted = whole.results.get(frame) ?? new Uint8Array();
    assert.ok(greatestDifference(data, wanted) <= 1, `frame ${frame} is as it would have been`);
    const atOnce = fresh.results.get(frame) ?? new Uint8Array();
    assert.ok(greatestDifference(atOnce, wanted) > 1, `frame ${frame} is still in transition`);
  }
});

test('a state of another model is used as far as it fits', async () => {
  await using run = await startBorrowedEngine(tinyModel);
  const recorded = new RecordedStream();
  const latent = new Float32Array(3);
  const frame = { frame: 4, ordinal: 4, stageIndex: 0, sample: latent, stock: latent };
  const state = { ordinal: 5, frames: [{ ...frame, history: {}, stockHistory: {} }] };
  const stream = await run.engine.openStream(parameters, recorded, { state });
  stream.push(5, { image: testImage(5, parameters) }, { replace: false });
  await recorded.until(() => recorded.answered === 1);
  assert.deepEqual([...recorded.results.keys()], [5]);
  assert.equal((await stream.snapshot()).ordinal, 6);
});

test('a snapshot fails if the stream is closed before or during it', async () => {
  await using run = await startBorrowedEngine(tinyModel);
  const { stream } = await RecordedStream.open(run.engine, parameters);
  const pending = stream.snapshot();
  stream.close();
  await assert.rejects(pending, /closed/);
  await assert.rejects(stream.snapshot(), /closed/);
});
