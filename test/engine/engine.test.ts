import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ParameterError } from '../../src/engine/engine.js';
import { createEngine } from '../../src/engine/host/supervisor.js';
import { readModelFolder } from '../../src/model/folder.js';
import {
  embeddedModel,
  RecordedStream,
  startEngine,
  testImage,
  tinyModel,
  tinyParameters,
} from '../support/engine.js';
import { startBorrowedEngine } from '../support/engine-pool.js';

test('the engine starts step by step, measures the model, and can be stopped twice', async () => {
  const run = await startEngine(tinyModel);
  const { engine, states } = run;
  assert.deepEqual([...new Set(states.map(({ name }) => name))], ['starting', 'ready']);
  assert.ok(states.some((state) => state.name === 'starting' && state.what.includes('U-Net')));
  assert.ok(engine.state.name === 'ready');
  assert.deepEqual(
    engine.state.costs.map(({ rows }) => rows),
    [1, 2, 4, 8],
  );
  assert.ok(engine.state.rowBudget >= 1);
  await run[Symbol.asyncDispose]();
  await run[Symbol.asyncDispose]();
  assert.equal(engine.state.name, 'stopped');
  await assert.rejects(engine.openStream(tinyParameters(), new RecordedStream()), /stopped/);
});

test('an invalid model folder is refused in one line that names it', async () => {
  await using engine = createEngine({
    model: '/nowhere/model',
    device: 'cpu',
    threads: 1,
    cacheDirectory: null,
    observer: { onState: () => {}, onNote: () => {}, onEvent: () => {} },
  });
  await assert.rejects(engine.start(), (error: Error) => {
    assert.match(error.message, /^\/nowhere\/model: no such folder/);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  });
  assert.equal(engine.state.name, 'failed');
});

test('every frame of a file gets a result, in order; live frames are replaced by newer ones', async () => {
  await using run = await startBorrowedEngine(tinyModel);
  const parameters = tinyParameters();
  const file = await RecordedStream.open(run.engine, parameters);
  for (let frame = 0; frame < 8; frame++)
    file.stream.push(frame, { image: testImage(frame, parameters) }, { replace: false });
  await file.until(() => file.answered === 8);
  assert.deepEqual([...file.results.keys()], [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(file.admitted, [0, 1, 2, 3, 4, 5, 6, 7]);

  const live = await RecordedStream.open(run.engine, parameters);
  for (let frame = 0; frame < 8; frame++)
    live.stream.push(frame, { image: testImage(frame, parameters) }, { replace: true });
  await live.until(() => live.answered === 8);
  assert.ok(live.results.has(7), 'the newest is never dropped');
  assert.ok(live.dropped.size >= 5);
  assert.deepEqual([...new Set(live.dropped.values())], ['superseded']);
});

test('streams with different prompts, sizes, steps and guidance get the same results together as alone', async () => {
  await using run = await startBorrowedEngine(tinyModel);
  const settings = [
    tinyParameters({ prompt: 'a fox in the snow', cfg_type: 'self', guidance_scale: 1.4 }),
    tinyParameters({ prompt: 'a harbour', t_index_list: [0, 16, 32, 45], cfg_type: 'full', seed: 9 }),
    tinyParameters({
      prompt: [
        { text: 'a cat', weight: 1 },
        { text: 'bronze', weight: 2 },
      ],
      solver: 'DDIMScheduler',
    }),
    tinyParameters({ width: 32, height: 64, denoise: 'stream', cfg_type: 'initialize', guidance_scale: 1.8 }),
  ];
  const play = async (stream: RecordedStream, parameters: (typeof settings)[number]): Promise<void> => {
    for (let frame = 0; frame < 6; frame++)
      stream.stream.push(frame, { image: testImage(frame, parameters) }, { replace: false });
    await stream.until(() => stream.answered === 6);
  };
  const alone: RecordedStream[] = [];
  for (const parameters of settings) {
    const stream = await RecordedStream.open(run.engine, parameters);
    await play(stream, parameters);
    stream.stream.close();
    alone.push(stream);
  }
  run.calls.length = 0;
  const together = await Promise.all(
    settings.map((parameters) => RecordedStream.open(run.engine, parameters)),
  );
  await Promise.all(together.map((stream, i) => play(stream, settings[i])));
  if (run.engine.state.name === 'ready' && run.engine.state.rowBudget > 2) {
    assert.ok(
      run.calls.some(({ streams }) => streams > 1),
      'streams shared calls',
    );
  }
  for (const [i, stream] of together.entries()) {
    for (const [frame, pixels] of stream.results) {
      const wanted = alone[i].results.get(frame)!;
      const difference = pixels.reduce((most, value, p) => Math.max(most, Math.abs(value - wanted[p])), 0);
      // Values on the edge between two bytes may round either way.
      assert.ok(difference <= 1, `stream ${i}, frame ${frame}: ${difference}`);
    }
  }
});

test('parameters change at a frame boundary, all or none, and the first affected frame is reported', async () => {
  await using run = await startBorrowedEngine(tinyModel);
  const parameters = tinyParameters({ t_index_list: [32] });
  const stream = await RecordedStream.open(run.engine, parameters);
  stream.stream.push(0, { image: testImage(0, parameters) }, { replace: false });
  await stream.until(() => stream.answered === 1);
  assert.deepEqual(await stream.stream.configure({ ...parameters, prompt: 'bronze' }), { from: 1 });
  stream.stream.push(1, { image: testImage(0, parameters) }, { replace: false });
  await stream.until(() => stream.answered === 2);
  assert.notDeepEqual(stream.results.get(1), stream.results.get(0));

  const impossible = [
    [{ width: 100 }, 'width', /multiple of 8.*100/],
    [{ t_index_list: [60] }, 't_index_list', /60/],
    [{ t_index_list: [30, 20] }, 't_index_list', /.*/],
    [{ steps: 9, num_inference_steps: 4, t_index_list: null }, 'steps', /9.*4/],
    [{ prompt: [{ text: 'a', weight: 0 }] }, 'prompt', /above 0/],
    [{ seed: [{ seed: 1, weight: 0 }] }, 'seed', /above 0/],
  ] as const;
  for (const [changes, field, message] of impossible) {
    await assert.rejects(stream.stream.configure({ ...parameters, prompt: 'other', ...changes }), (error) => {
      assert.ok(error instanceof ParameterError);
      assert.equal(error.field, field);
      assert.match(error.message, message);
      return true;
    });
  }
  stream.stream.push(2, { image: testImage(0, parameters) }, { replace: false });
  await stream.until(() => stream.answered === 3);
  assert.deepEqual(stream.results.get(2), stream.results.get(1), 'the previous settings stay');
  await assert.rejects(RecordedStream.open(run.engine, { ...parameters, height: 50 }), ParameterError);
});

test('a new size takes effect at once, and frames of the old size are dropped as stale', async () => {
  await using run = await startBorrowedEngine(tinyModel);
  const parameters = tinyParameters({ t_index_list: [18, 26, 35, 45], denoise: 'stream' });
  const stream = await RecordedStream.open(run.engine, parameters);
  for (let frame = 0; frame < 3; frame++)
    stream.stream.push(frame, { image: testImage(frame, parameters) }, { replace: false });
  const larger = { ...parameters, width: 96, height: 64 };
  const change = stream.stream.configure(larger);
  stream.stream.push(3, { image: testImage(3, parameters) }, { replace: false });
  stream.stream.push(4, { image: testImage(4, larger) }, { replace: false });
  await change;
  await stream.until(() => stream.answered === 5);
  assert.equal(stream.dropped.get(3), 'stale');
  assert.equal(stream.results.get(4)?.length, 96 * 64 * 3);
  for (const [frame, pixels] of stream.results) if (frame < 3) assert.equal(pixels.length, 64 * 48 * 3);
});

test('a transition moves from one prompt to the other in steps', async () => {
  await using run = await startBorrowedEngine(tinyModel);
  const parameters = tinyParameters({ t_index_list: [32] });
  const stream = await RecordedStream.open(run.engine, parameters);
  const show = async (frame: number): Promise<Uint8Array> => {
    stream.stream.push(frame, { image: testImage(0, parameters) }, { replace: false });
    await stream.until(() => stream.answered === frame + 1);
    return stream.results.get(frame)!;
  };
  const before = await show(0);
  await stream.stream.configure({
    ...parameters,
    prompt: 'a bronze statue of a horse at dusk',
    transition_frames: 4,
  });
  const way = [await show(1), await show(2), await show(3), await show(4), await show(5), await show(6)];
  assert.deepEqual(way[0], before);
  const distances = way.map((pixels) =>
    pixels.reduce((sum, value, i) => sum + Math.abs(value - before[i]), 0),
  );
  assert.ok(
    distances.slice(1, 5).every((distance, i) => distance > distances[i]),
    distances.join(' '),
  );
  assert.deepEqual(way[5], way[4]);
});

test('the similarity filter skips a static scene, and a change of parameters always shows', async () => {
  await using run = await startBorrowedEngine(tinyModel);
  const parameters = tinyParameters({
    t_index_list: [32],
    similar_image_filter: true,
    similar_image_filter_max_skip_frame: 5,
  });
  const stream = await RecordedStream.open(run.engine, parameters);
  for (let frame = 0; frame < 30; frame++) {
    stream.stream.push(frame, { image: testImage(0, parameters) }, { replace: false });
    await stream.until(() => stream.answered === frame + 1);
    if (frame === 20) await stream.stream.configure({ ...parameters, prompt: 'bronze' });
  }
  const similar = [...stream.dropped].filter(([, reason]) => reason === 'similar').map(([frame]) => frame);
  assert.equal(similar.length + stream.results.size, 30);
  assert.ok(similar.length >= 23, `${similar.length} skipped`);
  assert.ok(stream.results.has(0));
  assert.ok(stream.results.has(6), 'no more than five in a row');
  assert.ok(stream.results.has(21), 'the new prompt shows');
});

test('txt2img makes frames from noise alone', async () => {
  await using run = await startBorrowedEngine(tinyModel);
  const parameters = tinyParameters({ t_index_list: [0, 16, 32, 45] });
  const stream = await RecordedStream.open(run.engine, parameters);
  for (let frame = 0; frame < 3; frame++) stream.stream.push(frame, { image: null }, { replace: false });
  await stream.until(() => stream.answered === 3);
  assert.notDeepEqual(stream.results.get(0), stream.results.get(1));
});

test('prompts are encoded once, and the observer learns of cache hits', async () => {
  await using run = await startEngine(tinyModel);
  const parameters = tinyParameters();
  await RecordedStream.open(run.engine, parameters);
  assert.deepEqual(run.lookups, [false, false]);
  await RecordedStream.open(run.engine, parameters);
  assert.deepEqual(run.lookups, [false, false, true, true]);
});

test('a worker that dies is restarted, and streams continue with their parameters', async () => {
  await using run = await startEngine(tinyModel, {
    workerFile: new URL('host/crashing-worker.js', import.meta.url),
  });
  const parameters = tinyParameters({ t_index_list: [32] });
  const struck = await RecordedStream.open(run.engine, parameters);
  const bystander = await RecordedStream.open(run.engine, parameters);
  await struck.stream.configure({ ...parameters, prompt: 'bronze' });
  struck.stream.push(1, { image: testImage(1, parameters) }, { replace: false });
  await struck.until(() => struck.answered === 1);
  struck.stream.push(13, { image: testImage(1, parameters) }, { replace: false });
  await struck.until(() => struck.restarts === 1);
  assert.equal(bystander.restarts, 1);
  assert.equal(run.engine.state.name, 'restarting');
  await assert.rejects(struck.stream.configure(parameters), /restart/);

  const late = await RecordedStream.open(run.engine, parameters);
  struck.stream.push(14, { image: testImage(1, parameters) }, { replace: false });
  late.stream.push(0, { image: testImage(1, parameters) }, { replace: false });
  await struck.until(() => struck.results.has(14) || struck.dropped.has(14));
  await late.until(() => late.answered === 1);
  assert.equal(run.engine.state.name, 'ready');
  assert.deepEqual(struck.results.get(14), struck.results.get(1), 'with the parameters that were in force');
  assert.notDeepEqual(late.results.get(0), struck.results.get(14));
});

test('a worker that keeps dying ends the engine, and its streams close with the error', async () => {
  await using run = await startEngine(tinyModel, {
    workerFile: new URL('host/crashing-worker.js', import.meta.url),
  });
  const parameters = tinyParameters({ t_index_list: [32] });
  const stream = await RecordedStream.open(run.engine, parameters);
  for (let death = 1; stream.closed === null; death++) {
    stream.stream.push(13, { image: testImage(1, parameters) }, { replace: false });
    await stream.until(() => stream.restarts === death || stream.closed !== null);
    // A stream that is open in the new worker takes frames again.
    if (stream.closed === null) await RecordedStream.open(run.engine, parameters).catch(() => {});
  }
  assert.match(String(stream.closed), /frame 13/);
  assert.equal(run.engine.state.name, 'failed');
  assert.equal(stream.restarts, 5);
});

test('the embedded model draws what the prompt says', async () => {
  await using run = await startBorrowedEngine(embeddedModel, { threads: 2 });
  const { defaults } = await readModelFolder(embeddedModel);
  const parameters = { ...tinyParameters(), t_index_list: null, ...defaults, prompt: '' };
  const stream = await RecordedStream.open(run.engine, parameters);
  const image = testImage(0, parameters);
  stream.stream.push(0, { image: { ...image, data: image.data.slice() } }, { replace: false });
  await stream.until(() => stream.answered === 1);
  await stream.stream.configure({ ...parameters, prompt: 'black and white' });
  stream.stream.push(1, { image: { ...image, data: image.data.slice() } }, { replace: false });
  await stream.until(() => stream.answered === 2);
  /** Returns the mean distance between the channels of a pixel. */
  const colour = (pixels: Uint8Array): number => {
    let sum = 0;
    for (let i = 0; i < pixels.length; i += 3) sum += Math.abs(pixels[i] - pixels[i + 1]);
    return sum / (pixels.length / 3);
  };
  assert.ok(colour(stream.results.get(1)!) < 0.4 * colour(stream.results.get(0)!));
});
