import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StreamParameters } from '@millrace/protocol';
import type { StreamContext } from '../../../../src/engine/worker/streams/stream-context.js';
import { folder, setUp } from './live-stream-rig.js';

describe('denoise: auto', () => {
  const sharesCalls = async (
    changes: Partial<StreamParameters>,
    context: Partial<StreamContext> = {},
  ): Promise<boolean> => {
    const { stream, push, turn } = await setUp({ denoise: 'auto', ...changes }, context);
    push(1);
    turn();
    push(2);
    turn();
    return stream.lanes().length === 2;
  };

  it('depends on the rows that a frame has at its last stage', async () => {
    // Three rows cost no more than one, and six as much as two calls of them.
    const costs = [1, 3, 6].map((rows) => ({ rows, ms: rows === 6 ? 20 : 10 }));
    const settings = { guidance_scale: 3 };
    for (const [cfg_type, stream] of [
      ['self', true],
      ['initialize', true],
      ['full', false],
    ] as const) {
      assert.equal(await sharesCalls({ ...settings, cfg_type }, { costs }), stream, cfg_type);
    }
  });

  it('is decided again at each change', async () => {
    const { stream, push, turn, configure } = await setUp({ denoise: 'sequential' });
    await configure({ denoise: 'stream' });
    for (const frame of [1, 2]) {
      push(frame);
      turn();
    }
    assert.equal(stream.lanes().length, 2);
  });

  it('changes with the users beside it while frames are under way, and all of them are finished in order', async () => {
    // Calls of up to four rows cost the same: three frames of three steps make a call worth while, or three users.
    const costs = [1, 4, 8].map((rows) => ({ rows, ms: rows === 8 ? 20 : 10 }));
    const { stream, push, turn, drops } = await setUp({ denoise: 'auto' }, { costs });
    const finished: number[] = [];
    const underWay: number[] = [];
    for (let frame = 1; frame <= 18; frame++) {
      stream.denoise.users = frame > 6 && frame <= 12 ? 4 : 1;
      push(frame, { replace: true });
      finished.push(...turn());
      underWay.push(stream.lanes().length);
    }
    while (stream.lanes().length > 0) finished.push(...turn());
    assert.deepEqual(Math.max(...underWay.slice(0, 6)), 2, 'the third was finished in this turn');
    assert.deepEqual(Math.max(...underWay.slice(9, 12)), 1);
    assert.deepEqual(Math.max(...underWay.slice(15)), 2);
    assert.deepEqual(
      finished,
      finished.toSorted((a, b) => a - b),
    );
    const superseded = drops.map((drop) => Number(/^3: (\d+) superseded$/.exec(drop)?.[1]));
    const all = [...finished, ...superseded].toSorted((a, b) => a - b);
    assert.deepEqual(
      all,
      Array.from({ length: 18 }, (_, i) => i + 1),
      'each frame is finished or superseded by a newer one',
    );
  });

  it('weighs frames alone if all of them count', async () => {
    const costs = [1, 2, 4].map((rows) => ({ rows, ms: 8 + 2 * rows }));
    const shares = async (replace: boolean): Promise<boolean> => {
      const { stream, push, turn } = await setUp({ denoise: 'auto' }, { costs, pictureMs: 20 });
      push(1, { replace });
      turn();
      push(2, { replace });
      turn();
      return stream.lanes().length === 2;
    };
    assert.equal(await shares(true), false);
    assert.equal(await shares(false), true);
  });

  const linear = [1, 2, 4, 8].map((rows) => ({ rows, ms: 10 * rows }));

  it('is the stream batch where calls of many rows are cheap', async () => {
    assert.equal(await sharesCalls({}), true);
    assert.equal(await sharesCalls({}, { costs: linear }), false);
    assert.equal(await sharesCalls({ denoise: 'stream' }, { costs: linear }), true);
    assert.equal(await sharesCalls({ denoise: 'sequential' }), false);
    const model = { folder, mixesTimesteps: false, latentShape: () => [1, 2, 2] as const };
    assert.equal(await sharesCalls({}, { model }), false, 'rows at several stages cannot share a call');
  });
});
