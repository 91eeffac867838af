import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StreamParameters } from '@millrace/protocol';
import { embeddedModel, RecordedStream, testImage, tinyModel, tinyParameters } from '../support/engine.js';
import { startBorrowedEngine } from '../support/engine-pool.js';

const long = Array.from({ length: 60 }, (_, i) => `word${i}`).join(' ');

async function play(
  stream: RecordedStream,
  parameters: StreamParameters,
  from = 0,
  count = 5,
): Promise<void> {
  for (let frame = from; frame < from + count; frame++)
    stream.stream.push(frame, { image: testImage(frame, parameters) }, { replace: false });
  await stream.until(() => stream.answered === from + count);
}

function assertAlike(actual: ReadonlyMap<number, Uint8Array>, wanted: ReadonlyMap<number, Uint8Array>): void {
  assert.deepEqual([...actual.keys()], [...wanted.keys()]);
  for (const [frame, pixels] of wanted) {
    const other = actual.get(frame);
    // Calls of other sizes round differently.
    assert.ok(other && pixels.every((value, i) => Math.abs(value - (other[i] ?? 0)) <= 1), `frame ${frame}`);
  }
}

test('a long prompt is used to its end, and changes nothing for streams with short ones', async () => {
  await using run = await startBorrowedEngine(tinyModel);
  const settings = [
    tinyParameters({ cfg_type: 'full', guidance_scale: 2, negative_prompt: 'fog' }),
    tinyParameters({ cfg_type: 'full', guidance_scale: 2, prompt: long }),
    tinyParameters({ cfg_type: 'full', guidance_scale: 2, negative_prompt: long }),
    tinyParameters({
      prompt: [
        { text: long, weight: 1 },
        { text: 'a cat', weight: 2 },
      ],
    }),
    tinyParameters({ prompt: `${long} (bronze:1.6)`, cfg_type: 'self' }),
  ];
  const alone: RecordedStream[] = [];
  for (const parameters of settings) {
    const stream = await RecordedStream.open(run.engine, parameters);
    await play(stream, parameters);
    stream.stream.close();
    alone.push(stream);
  }
  const together: RecordedStream[] = [];
  for (const parameters of settings) together.push(await RecordedStream.open(run.engine, parameters));
  await Promise.all(together.map((stream, i) => play(stream, settings[i] ?? tinyParameters())));
  together.forEach((stream, i) => assertAlike(stream.results, alone[i]?.results ?? new Map()));

  const other = tinyParameters({ cfg_type: 'full', guidance_scale: 2, prompt: `${long.slice(0, -3)}owl` });
  const changed = await RecordedStream.open(run.engine, other);
  await play(changed, other);
  assert.notDeepEqual(changed.results.get(4), alone[1]?.results.get(4));
});

test('a stream that moved to a long prompt and back continues as if it had not', async () => {
  await using run = await startBorrowedEngine(tinyModel);
  const parameters = tinyParameters({ t_index_list: [32], denoise: 'sequential' });
  const plain = await RecordedStream.open(run.engine, parameters);
  await play(plain, parameters, 0, 12);
  const moved = await RecordedStream.open(run.engine, parameters);
  await moved.stream.configure({ ...parameters, prompt: long, transition_frames: 3 });
  await play(moved, parameters, 0, 5);
  await moved.stream.configure({ ...parameters, transition_frames: 3 });
  await play(moved, parameters, 5, 7);
  assert.notDeepEqual(moved.results.get(4), plain.results.get(4));
  assert.notDeepEqual(moved.results.get(6), plain.results.get(6));
  for (const frame of [9, 10, 11]) assert.deepEqual(moved.results.get(frame), plain.results.get(frame));
});

test('a transition from a long prompt ends while frames under way still have it', async () => {
  await using run = await startBorrowedEngine(tinyModel);
  const parameters = tinyParameters({ t_index_list: [18, 32, 45], denoise: 'stream' });
  const shrinking = await RecordedStream.open(run.engine, { ...parameters, prompt: long });
  const other = await RecordedStream.open(run.engine, parameters);
  await play(shrinking, parameters, 0, 3);
  await shrinking.stream.configure({ ...parameters, transition_frames: 2 });
  await Promise.all([play(shrinking, parameters, 3, 8), play(other, parameters, 0, 8)]);
  // From the ninth frame on, all of the way was made with the short prompt.
  const plain = await RecordedStream.open(run.engine, parameters);
  await play(plain, parameters, 0, 11);
  const ends = (stream: RecordedStream): ReadonlyMap<number, Uint8Array> =>
    new Map([...stream.results].filter(([frame]) => frame >= 8));
  assertAlike(ends(shrinking), ends(plain));
});

test('the embedded model reads a long prompt to its end', async () => {
  await using run = await startBorrowedEngine(embeddedModel);
  const beginning = { ...tinyParameters({ t_index_list: [32], height: 64 }), prompt: 'cat '.repeat(80) };
  const stream = await RecordedStream.open(run.engine, beginning);
  await play(stream, beginning, 0, 1);
  const longer = { ...beginning, prompt: `${beginning.prompt} neon lights, glowing neon outlines` };
  const other = await RecordedStream.open(run.engine, longer);
  await play(other, longer, 0, 1);
  assert.notDeepEqual(stream.results.get(0), other.results.get(0));
});
