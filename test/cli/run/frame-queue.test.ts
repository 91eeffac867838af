import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FrameQueue } from '../../../src/cli/run/frame-queue.js';
import type { GeneratedImage } from '../../../src/engine/engine.js';
import { stubStream } from '../../support/stub-stream.js';

const timings = { queueMs: 0, vaeEncodeMs: 0, denoiseMs: 0, vaeDecodeMs: 0 };
const picture = (value: number): GeneratedImage => ({
  width: 1,
  height: 1,
  timings,
  data: new Uint8Array([value, value, value]),
});

/** Returns a queue and a stream that only records frames; the test plays the engine. */
function setUp() {
  const pushed: number[] = [];
  const stream = stubStream({
    push: (frame, _, { replace }) => {
      assert.equal(replace, false);
      pushed.push(frame);
    },
  });
  const queue = new FrameQueue<string>();
  return { queue, pushed, push: (name: string) => queue.push(stream, { image: picture(0) }, name) };
}

describe('FrameQueue', () => {
  it('pushes a frame only when the previous one has been admitted', async () => {
    const { queue, pushed, push } = setUp();
    await push('a');
    const second = push('b');
    await setImmediate();
    assert.deepEqual(pushed, [0]);
    queue.onAdmitted(0);
    await second;
    assert.deepEqual(pushed, [0, 1]);
  });

  it('holds a bounded number of frames, even if the engine admits them all', async () => {
    const { queue, pushed, push } = setUp();
    const feeding = (async () => {
      for (let i = 0; i < 100; i++) {
        await push(`${i}`);
        queue.onAdmitted(i);
      }
    })();
    await setImmediate();
    await setImmediate();
    const bound = pushed.length;
    assert.ok(bound < 100);
    for (let i = 0; i < 100; i++) {
      while (pushed.length <= i) await setImmediate();
      assert.ok(pushed.length - i <= bound);
      void queue.onResult(i, picture(i));
      assert.equal((await queue.shift())?.source, `${i}`);
    }
    await feeding;
  });

  it('returns frames in order, even if a skip is known before the previous frame is done', async () => {
    const { queue, push } = setUp();
    await push('a');
    queue.onAdmitted(0);
    await push('b');
    queue.onDropped(1, 'similar');
    await push('c');
    queue.onAdmitted(2);
    queue.end();
    const order: (readonly [string, string])[] = [];
    const taking = (async () => {
      for (let next = await queue.shift(); next; next = await queue.shift()) {
        order.push([next.source, next.outcome.type]);
      }
    })();
    await setImmediate();
    assert.deepEqual(order, []);
    void queue.onResult(0, picture(1));
    void queue.onResult(2, picture(3));
    await taking;
    assert.deepEqual(order, [
      ['a', 'image'],
      ['b', 'similar'],
      ['c', 'image'],
    ]);
  });

  it('keeps the memory of a result until it is released', async () => {
    const { queue, push } = setUp();
    await push('a');
    let returned = false;
    const result = queue.onResult(0, picture(1)).then(() => (returned = true));
    const next = await queue.shift();
    await setImmediate();
    assert.equal(returned, false);
    assert.equal(next?.outcome.type, 'image');
    if (next?.outcome.type === 'image') next.outcome.release();
    await result;
  });

  it('rejects all waiting calls with the first failure', async () => {
    const { queue, push } = setUp();
    await push('a');
    const pushing = push('b');
    const taking = queue.shift();
    queue.onRestart();
    queue.onClosed(new Error('later'));
    await assert.rejects(pushing, /had to be restarted/);
    await assert.rejects(taking, /had to be restarted/);
    // Late results are released at once.
    await queue.onResult(0, picture(1));
  });

  it('fails if the model fails at a frame, and says so', async () => {
    const { queue, push } = setUp();
    await push('a');
    queue.onDropped(0, 'failed');
    await assert.rejects(queue.shift(), /NaN or infinite values for frame 1; export it in float32/);
  });

  it('fails if the engine loses a frame', async () => {
    const { queue, push } = setUp();
    await push('a');
    queue.onDropped(0, 'superseded');
    await assert.rejects(queue.shift(), /lost frame 1 \(superseded\)/);
  });
});
