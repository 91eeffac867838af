import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { EngineEvent, InferenceCall } from '../../src/engine/engine.js';
import { createEngine } from '../../src/engine/host/supervisor.js';
import { RecordedStream, testImage, tinyModel, tinyParameters } from '../support/engine.js';

it('the engine reports the expected time of each call: that of its rows and pictures, by their area', async () => {
  const calls: InferenceCall[] = [];
  const observer = {
    onState: () => {},
    onNote: () => {},
    onEvent: (event: EngineEvent) => event.type === 'inference' && calls.push(event),
  };
  await using engine = createEngine({
    model: tinyModel,
    device: 'cpu',
    threads: 1,
    cacheDirectory: null,
    observer,
  });
  await engine.start();
  const small = tinyParameters({ t_index_list: [32] });
  const large = { ...small, width: 2 * small.width, height: 2 * small.height };
  for (const parameters of [small, large]) {
    const stream = await RecordedStream.open(engine, parameters);
    for (let frame = 0; frame < 2; frame++) {
      stream.stream.push(frame, { image: testImage(frame, parameters) }, { replace: false });
      await stream.until(() => stream.results.has(frame));
    }
    stream.stream.close();
  }
  assert.deepEqual(
    calls.map(({ rows, streams }) => [rows, streams]),
    [1, 1, 1, 1].map((one) => [one, one]),
  );
  assert.deepEqual(
    calls.map(({ pictureMs }) => pictureMs > 0),
    [false, true, true, true],
  );
  // A call is reported with the picture of the frame before it.
  const [row = 0, withSmall = 0, largeWithSmall = 0, largeWithLarge = 0] = calls.map(
    ({ expectedMs }) => expectedMs,
  );
  assert.ok(row > 0 && withSmall > row);
  const picture = withSmall - row;
  const near = (actual: number, expected: number): void =>
    assert.ok(Math.abs(actual - expected) < 1e-6 * expected, `${actual}, not ${expected}`);
  near(largeWithSmall, 4 * row + picture);
  near(largeWithLarge, 4 * (row + picture));
  assert.ok(engine.state.name === 'ready');
  near(picture / row, engine.state.pictureMs / (engine.state.costs[0]?.ms ?? 0));
});
