import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { InputFrame } from '../../../src/cli/run/input.js';
import { newestOf } from '../../../src/cli/run/newest-of.js';

/** A source that goes on without its reader, as a camera does, and uses its memory again. */
async function* camera(count: number, end: () => void = () => {}): AsyncGenerator<InputFrame, void, void> {
  const data = new Uint8Array(3);
  try {
    for (let time = 0; time < count; time++) {
      data.fill(time);
      yield { image: { width: 1, height: 1, data }, time, name: null };
      await setImmediate();
    }
  } finally {
    end();
  }
}

describe('newestOf', () => {
  it('yields every frame to a reader that keeps up', async () => {
    let dropped = 0;
    const times: number[] = [];
    for await (const { time } of newestOf(camera(5), () => dropped++)) times.push(time);
    assert.deepEqual([times, dropped], [[0, 1, 2, 3, 4], 0]);
  });

  it('yields the newest frame to a slow reader, with its own pixels, and counts the others', async () => {
    let dropped = 0;
    const seen: number[] = [];
    for await (const { image, time } of newestOf(camera(20), () => dropped++)) {
      for (let turn = 0; turn < 20; turn++) await setImmediate();
      assert.equal(image.data[0], time);
      seen.push(time);
    }
    assert.equal(seen.at(-1), 19, 'the last frame is not lost');
    assert.ok(seen.length < 10, `${seen.length}`);
    assert.equal(seen.length + dropped, 20);
  });

  it('passes on an error of the source, and ends the source with the reader', async () => {
    const broken = async function* (): AsyncGenerator<InputFrame, void, void> {
      yield* camera(1);
      throw new Error('unplugged');
    };
    const read = async (): Promise<void> => {
      for await (const _ of newestOf(broken(), () => {}));
    };
    await assert.rejects(read, /unplugged/);
    let ended = false;
    for await (const _ of newestOf(
      camera(1000, () => (ended = true)),
      () => {},
    ))
      break;
    for (let turn = 0; turn < 5; turn++) await setImmediate();
    assert.ok(ended);
  });
});
