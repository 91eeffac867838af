import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordedStream, startEngine, testImage, tinyModel, tinyParameters } from '../support/engine.js';
import { greatestDifference } from '../support/compare.js';

/** Four frames under way at a time, each with noise of its own place in the stream. */
const parameters = tinyParameters({ t_index_list: [12, 20, 30, 40], denoise: 'stream', noise: 'drift' });
const frames = 12;
const pushed = 7;

test('a stream goes on in another engine as it would have in its own', async () => {
  await using first = await startEngine(tinyModel);
  const whole = await RecordedStream.open(first.engine, parameters);
  for (let frame = 0; frame < frames; frame++)
    whole.stream.push(frame, testImage(frame, parameters), { replace: false });
  await whole.until(() => whole.answered === frames);

  const broken = await RecordedStream.open(first.engine, parameters);
  for (let frame = 0; frame < pushed; frame++)
    broken.stream.push(frame, testImage(frame, parameters), { replace: false });
  await broken.until(() => broken.admitted.length === pushed);
  // The snapshot is taken between two turns of the stream, wherever it then is.
  const state = await broken.stream.snapshot();
  broken.stream.close();
  assert.equal(state.ordinal, pushed);
  assert.ok(state.frames.length > 1, 'several frames are under way');

  await using second = await startEngine(tinyModel);
  const resumed = new RecordedStream();
  const stream = await second.engine.openStream(parameters, resumed, structuredClone(state));
  for (let frame = pushed; frame < frames; frame++)
    stream.push(frame, testImage(frame, parameters), { replace: false });
  const wanted = frames - pushed + state.frames.length;
  await resumed.until(() => resumed.answered === wanted);
  for (const [frame, data] of resumed.results) {
    const difference = greatestDifference(data, whole.results.get(frame) ?? new Uint8Array());
    assert.ok(difference <= 1, `frame ${frame} differs by ${difference}`);
  }
  assert.deepEqual(
    [...resumed.results.keys()],
    Array.from({ length: wanted }, (_, i) => frames - wanted + i),
  );
});

test('a state of another model is taken as far as it fits', async () => {
  await using run = await startEngine(tinyModel);
  const recorded = new RecordedStream();
  const latent = new Float32Array(3);
  const frame = { frame: 4, ordinal: 4, stageIndex: 0, sample: latent, stock: latent };
  const state = { ordinal: 5, frames: [{ ...frame, history: {}, stockHistory: {} }] };
  const stream = await run.engine.openStream(parameters, recorded, state);
  stream.push(5, testImage(5, parameters), { replace: false });
  await recorded.until(() => recorded.answered === 1);
  assert.deepEqual([...recorded.results.keys()], [5]);
  assert.equal((await stream.snapshot()).ordinal, 6);
});

test('there is no snapshot of a stream that is closed, before or meanwhile', async () => {
  await using run = await startEngine(tinyModel);
  const { stream } = await RecordedStream.open(run.engine, parameters);
  const pending = stream.snapshot();
  stream.close();
  await assert.rejects(pending, /closed/);
  await assert.rejects(stream.snapshot(), /closed/);
});
