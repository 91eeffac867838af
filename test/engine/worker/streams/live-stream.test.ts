import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { volume } from '../../../../src/engine/worker/networks/sizes.js';
import { folder, setUp, side, type Rig } from './live-stream-rig.js';

describe('waiting frames', () => {
  it('are replaced by newer ones if replaceable, and as many as the buffer holds stay', async () => {
    const { drops, push, turn } = await setUp({ frame_buffer_size: 2 });
    for (const frame of [1, 2, 3, 4]) push(frame);
    assert.deepEqual(drops, ['3: 1 superseded', '3: 2 superseded']);
    assert.deepEqual([turn(), turn(), turn()], [[], [], [3, 4]]);
  });

  it('all stay if each counts, and enter one by one', async () => {
    const { stream, drops, push, turn } = await setUp();
    for (const frame of [1, 2, 3]) push(frame, { replace: false });
    assert.deepEqual([turn(), turn(), turn(), turn(), turn()], [[], [], [1], [2], [3]]);
    push(4);
    assert.deepEqual(
      stream.close().map(({ frame }) => frame),
      [4],
    );
    assert.deepEqual([drops, stream.entries(), stream.close()], [[], [], []]);
    assert.throws(() => stream.takeEntry(), RangeError);
  });

  it('are dropped if their size is not that of the stream', async () => {
    const { drops, push, turn, configure } = await setUp();
    push(1);
    turn();
    push(2);
    push(3, { width: 2 * side });
    assert.deepEqual(drops, ['3: 2 superseded', '3: 3 stale']);
    push(4);
    await configure({ width: 2 * side });
    assert.deepEqual(drops.slice(2), ['3: 4 stale']);
  });

  it('are filtered again if a newer one replaces one that could have entered', async () => {
    const { stream, drops, push } = await setUp();
    push(1);
    stream.screen();
    assert.deepEqual(stream.entries(), [1]);
    push(2);
    assert.deepEqual(stream.entries(), [], 'the filter has not seen it');
    const { stream: wide, push: pushWide, configure } = await setUp({ frame_buffer_size: 2 });
    for (const frame of [1, 2]) pushWide(frame);
    wide.screen();
    pushWide(3);
    assert.deepEqual(wide.entries(), [1]);
    assert.deepEqual(drops, ['3: 1 superseded']);
    await configure({ height: 2 * side });
    assert.deepEqual(wide.close(), [], 'of another height');
  });

  it('are all returned at the end', async () => {
    const { stream, push } = await setUp();
    for (const frame of [1, 2, 3]) push(frame, { replace: false });
    assert.deepEqual(
      stream.close().map(({ frame }) => frame),
      [1, 2, 3],
    );
  });

  it('of a new size enter after those of the old size have left', async () => {
    const { stream, push, turn, configure } = await setUp();
    push(1);
    turn();
    const key = stream.key;
    await configure({ width: 2 * side });
    push(2);
    assert.deepEqual([stream.key, stream.size], [key, { width: 2 * side, height: side }]);
    stream.screen();
    assert.deepEqual(stream.entries(), []);
    assert.deepEqual([turn(), turn()], [[], [1]]);
    assert.notEqual(stream.key, key);
    assert.deepEqual([turn(), turn(), turn()], [[], [], [2]]);
  });
});

it('rows of different shapes do not share a call, whatever their digits are', async () => {
  const keyOf = async (width: number, height: number): Promise<string> =>
    (await setUp({ width: width * folder.sizeFactor, height: height * folder.sizeFactor })).stream.key;
  assert.notEqual(await keyOf(12, 2), await keyOf(2, 21));
  assert.equal(await keyOf(12, 2), await keyOf(12, 2));
});

it('a stream has the account that it was opened for', async () => {
  const { stream } = await setUp();
  assert.equal(stream.account, undefined);
  assert.equal((await setUp({}, {}, 'a tenant')).stream.account, 'a tenant');
});

describe('a change', () => {
  it('returns the first frame that it affects', async () => {
    const { push, turn, configure } = await setUp();
    assert.equal(await configure({ quality: 50 }), 0);
    push(5);
    assert.equal(await configure({ seed: 3 }), 5, 'it waits');
    turn();
    assert.equal(await configure({ seed: 4 }), 6, 'frames under way keep the plan that they entered with');
    assert.equal(await configure({ prompt: 'a' }), 5, 'but not the prompt');
    assert.equal(await configure({ guidance_scale: 3, cfg_type: 'full' }), 5);
    assert.equal(await configure({ negative_prompt: 'b' }), 5);
    turn();
    turn();
    assert.equal(await configure({ prompt: 'cc' }), 6, 'nothing is under way');
  });

  it('of parameters outside the plan keeps the plan', async () => {
    const { stream, configure } = await setUp();
    const { plan } = stream;
    await configure({ prompt: 'a', quality: 3 });
    assert.equal(stream.plan, plan);
    await configure({ seed: 99 });
    assert.notEqual(stream.plan, plan);
  });

  it('that is impossible changes nothing', async () => {
    const { stream, configure } = await setUp();
    const { plan, size } = stream;
    await assert.rejects(configure({ width: side + 1, prompt: 'a' }), { field: 'width' });
    await assert.rejects(configure({ width: side, prompt: [{ text: 'a', weight: 0 }] }), { field: 'prompt' });
    assert.deepEqual([stream.plan, stream.size], [plan, size]);
  });
});

describe('prompts', () => {
  const positiveOf = ({ stream }: Rig): readonly number[] => {
    const [lane] = stream.lanes();
    return [...(lane?.rows.at(-1)?.conditioning.encoder_hidden_states ?? [])];
  };

  it('move over several frames, both at the length of the longer one', async () => {
    const rig = await setUp({ transition_frames: 2, t_index_list: [10] });
    rig.push(1);
    rig.turn();
    const short = rig.stream.key;
    await rig.configure({ prompt: 'aa bb' });
    assert.notEqual(rig.stream.key, short);
    for (const expected of [
      [3, 3, 3, 3, 0, 0, 0, 0],
      [4, 4, 4, 4, 2.5, 2.5, 2.5, 2.5],
      [5, 5, 5, 5, 5, 5, 5, 5],
    ]) {
      const lane = rig.stream.admit(9, null);
      assert.deepEqual(positiveOf(rig), expected);
      rig.stream.absorb(lane, [new Float32Array(4)]);
    }
  });

  const negativeOf = ({ stream }: Rig): readonly number[] => {
    const [lane] = stream.lanes();
    return [...(lane?.rows[0]?.conditioning.encoder_hidden_states ?? [])];
  };

  it('that are negative move too, here and in a restored stream', async () => {
    const settings = {
      transition_frames: 4,
      cfg_type: 'full',
      guidance_scale: 3,
      t_index_list: [10],
    } as const;
    const rig = await setUp({ ...settings, negative_prompt: 'f' });
    await rig.configure({ negative_prompt: 'fffff' });
    rig.stream.admit(0, null);
    assert.deepEqual(negativeOf(rig), [1, 1, 1, 1]);
    const state = structuredClone(rig.stream.snapshot());
    assert.equal(state.transitions?.positive, null);
    const other = await setUp({ ...settings, negative_prompt: 'fffff' });
    other.stream.restore(state);
    for (const { stream } of [rig, other]) stream.admit(1, null);
    assert.deepEqual(negativeOf(other), [2, 2, 2, 2]);
    assert.deepEqual(negativeOf(rig), [2, 2, 2, 2]);
  });

  it('continue a transition that began elsewhere', async () => {
    const settings = { transition_frames: 4, prompt: 'f' };
    const rig = await setUp(settings);
    await rig.configure({ prompt: 'fffff' });
    rig.stream.admit(0, null);
    const state = structuredClone(rig.stream.snapshot());
    assert.equal(state.transitions?.positive?.length.frames, 4);
    assert.equal(state.transitions?.negative, null);
    const other = await setUp({ ...settings, prompt: 'fffff' });
    assert.equal(other.stream.snapshot().transitions, undefined);
    other.stream.restore(state);
    for (const { stream } of [rig, other]) stream.admit(1, null);
    assert.deepEqual(positiveOf(other), [2, 2, 2, 2]);
    assert.deepEqual(positiveOf(rig), positiveOf(other));
    assert.equal(await other.configure({ seed: 5 }), 1, 'ids continue after the frames that came along');
  });

  it('are restored without frames of another model', async () => {
    const rig = await setUp();
    rig.push(1);
    rig.turn();
    const state = rig.stream.snapshot();
    const [frame] = state.frames;
    const broken = [
      { ...frame, sample: new Float32Array(3) },
      { ...frame, stock: new Float32Array(3) },
      { ...frame, sample: new Float32Array(3), stock: new Float32Array(3) },
      { ...frame, stageIndex: 3 },
    ];
    rig.stream.restore({ ordinal: 7, frames: broken });
    assert.deepEqual(rig.stream.snapshot().frames, []);
    assert.equal(await rig.configure({ seed: 1 }), 0);
    rig.stream.restore({ ordinal: 7, frames: [{ ...frame, stageIndex: 2 }] });
    assert.equal(rig.stream.snapshot().frames.length, 1);
    assert.equal(rig.stream.snapshot().ordinal, 7);
  });

  it('are restored with the result for feedback, if it is finite', async () => {
    const { stream } = await setUp({ latent_feedback: 0.5 });
    const finished = new Float32Array(volume(stream.plan.shape)).fill(0.25);
    stream.restore({ ordinal: 7, frames: [], finished });
    assert.deepEqual(stream.snapshot().finished, finished);
    stream.restore({ ordinal: 7, frames: [], finished: finished.with(3, NaN) });
    assert.equal(stream.snapshot().finished, undefined);
  });
});
