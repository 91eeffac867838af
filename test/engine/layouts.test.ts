import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ParameterError } from '../../src/engine/engine.js';
import { layoutFolder, layouts } from '../support/layouts.js';
import { RecordedStream, startEngine, testImage, tinyParameters } from '../support/engine.js';

const frames = 4;

async function play(stream: RecordedStream, parameters: { width: number; height: number }): Promise<void> {
  for (let frame = 0; frame < frames; frame++) {
    stream.stream.push(frame, { image: testImage(frame, parameters) }, { replace: false });
  }
  await stream.until(() => stream.answered === frames);
}

for (const layout of layouts) {
  test(`${layout}: streams with different steps and prompts get the same results together as alone`, async () => {
    await using run = await startEngine(layoutFolder(layout));
    const size = { width: 64, height: 64, cfg_type: 'none' } as const;
    const settings = [
      tinyParameters({ ...size, prompt: 'a red fox', t_index_list: [18, 35], guidance_scale: 8 }),
      tinyParameters({ ...size, prompt: 'water', t_index_list: [10, 20, 40], guidance_scale: 3 }),
      tinyParameters({ ...size, prompt: '', t_index_list: [30], denoise: 'stream' }),
    ];
    const alone = [];
    for (const parameters of settings) {
      const stream = await RecordedStream.open(run.engine, parameters);
      await play(stream, parameters);
      stream.stream.close();
      alone.push(stream.results);
    }
    const together = await Promise.all(
      settings.map((parameters) => RecordedStream.open(run.engine, parameters)),
    );
    await Promise.all(together.map((stream, i) => play(stream, settings[i])));
    for (const [i, { results }] of together.entries()) {
      assert.equal(results.size, frames);
      for (const [frame, pixels] of results) {
        const wanted = alone[i].get(frame)!;
        const difference = pixels.reduce((most, value, p) => Math.max(most, Math.abs(value - wanted[p])), 0);
        // Values on the edge between two bytes may round either way.
        assert.ok(difference <= 1, `stream ${i}, frame ${frame}: ${difference}`);
      }
    }
  });
}

test('a model with a limited export refuses what it cannot do, naming the parameter', async () => {
  await using run = await startEngine(layoutFolder('lcm'));
  const possible = tinyParameters({ width: 64, height: 64 });
  const impossible = [
    [
      { width: 128 },
      'width',
      /width must be 64, the only width that the model lcm was exported for, not 128/,
    ],
    [{ cfg_type: 'full' }, 'cfg_type', /cfg_type must be none for the model lcm, which guides itself/],
  ] as const;
  for (const [changes, field, message] of impossible) {
    await assert.rejects(RecordedStream.open(run.engine, { ...possible, ...changes }), (error) => {
      assert.ok(error instanceof ParameterError);
      assert.equal(error.field, field);
      assert.match(error.message, message);
      return true;
    });
  }
  assert.deepEqual(
    run.notes.map((note) => /takes exactly 2 rows|one timestep|pictures of 64 x 64/.exec(note)?.[0]),
    ['takes exactly 2 rows', 'one timestep', 'pictures of 64 x 64'],
  );
});

test('the guidance scale of a full LCM changes its pictures', async () => {
  await using run = await startEngine(layoutFolder('lcm'));
  const parameters = tinyParameters({ width: 64, height: 64, t_index_list: [0], guidance_scale: 1 });
  const stream = await RecordedStream.open(run.engine, parameters);
  stream.stream.push(0, { image: testImage(0, parameters) }, { replace: false });
  await stream.until(() => stream.answered === 1);
  await stream.stream.configure({ ...parameters, guidance_scale: 20 });
  stream.stream.push(1, { image: testImage(0, parameters) }, { replace: false });
  await stream.until(() => stream.answered === 2);
  assert.notDeepEqual(stream.results.get(1), stream.results.get(0));
});
