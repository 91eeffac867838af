import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { steeredFolder } from '../../../support/steered-folder.js';
import {
  breaking,
  folder,
  push,
  setUp,
  side,
  usualParameters,
  type Rig,
  useClock,
} from './frame-loop-rig.js';

useClock();

const steered = { model: steeredFolder(folder) };
const lines = { controls: { canny: { scale: 1, preprocessor: 'lines' } }, t_index_list: [10] } as const;

/** Takes turns until there is nothing to do. */
async function finish({ loop }: Rig): Promise<void> {
  while (await loop.turn());
}

/** Returns the frames with a result, as `stream: frame`, and how they are drawn. */
function drawn({ results }: Rig): Readonly<Record<string, number>> {
  return Object.fromEntries(
    results().map(({ stream, frame, pixels }) => [`${stream}: ${frame}`, new Uint8Array(pixels)[0] ?? -1]),
  );
}

describe('pictures that a network of the model makes', () => {
  it('are made for frames of several streams in one call, and are the same as one at a time', async () => {
    const together = setUp(steered);
    for (const id of [1, 2, 3]) push(await together.open(id, lines), 5, { byte: 20 * id });
    await together.loop.turn();
    assert.deepEqual([together.preprocessed, together.calls], [[3], []]);
    await together.loop.turn();
    assert.deepEqual([together.preprocessed, together.calls], [[3], [3]], 'they enter together');
    for (const id of [1, 2, 3]) {
      const alone = setUp(steered);
      push(await alone.open(id, lines), 5, { byte: 20 * id });
      await finish(alone);
      assert.deepEqual(alone.preprocessed, [1]);
      for (const what of alone.features) assert.ok(together.features.includes(what), what);
    }
  });

  it('are made in calls of at most as many as a U-Net call has rows, and only of one size', async () => {
    const rig = setUp({ ...steered, rowBudget: 2 });
    for (const id of [1, 2, 3]) push(await rig.open(id, lines), 5);
    push(await rig.open(4, { ...lines, width: 2 * side }), 5);
    await finish(rig);
    assert.deepEqual(
      rig.preprocessed.toSorted((a, b) => a - b),
      [1, 1, 2],
    );
    assert.equal(rig.results().length, 4);
  });

  it('are made while earlier frames of the stream are under way, which then share a call with theirs', async () => {
    const rig = setUp(steered);
    const stream = await rig.open(7, { ...lines, t_index_list: [10, 30] });
    push(stream, 1);
    await rig.loop.turn();
    await rig.loop.turn();
    push(stream, 2);
    await rig.loop.turn();
    assert.deepEqual([rig.preprocessed, rig.calls], [[1, 1], [1]]);
    await rig.loop.turn();
    assert.deepEqual(rig.calls, [1, 2]);
  });

  it('do not delay the rows of others that are due first', async () => {
    const rig = setUp(steered);
    const slow = await rig.open(1, lines);
    const plain = await rig.open(2, { t_index_list: [10] });
    push(slow, 1);
    slow.screen();
    for (let i = 0; i < 60; i++) rig.prices.observePreprocessed(slow.key, slow.plan.shape, 200);
    push(plain, 1);
    await rig.loop.turn();
    assert.deepEqual([rig.preprocessed, rig.calls], [[], [1]]);
    await finish(rig);
    assert.equal(rig.results().length, 2);
  });

  it('are made once for all controls that they steer', async () => {
    const rig = setUp(steered);
    const both = { canny: { scale: 1, preprocessor: 'lines' }, depth: { scale: 1, preprocessor: 'lines' } };
    push(await rig.open(7, { ...lines, controls: both }), 1, { byte: 55 });
    await finish(rig);
    assert.deepEqual(rig.features, ['lines of 55', 'canny 200', 'depth 200']);
    const recycled = rig.posted.flatMap((message) => (message.type === 'recycle' ? [message.pixels] : []));
    assert.equal(recycled.length, 2, 'the memory of the frame and of the picture, once');
  });

  it('are made one preprocessor after another, before the frame enters', async () => {
    const rig = setUp(steered);
    const both = { canny: { scale: 1, preprocessor: 'lines' }, depth: { scale: 1, preprocessor: 'depths' } };
    push(await rig.open(7, { ...lines, controls: both }), 1, { byte: 55 });
    await finish(rig);
    assert.deepEqual(rig.features, ['lines of 55', 'depths of 55', 'canny 200', 'depth 200']);
  });

  it('keep their frame from being replaced by a newer one', async () => {
    const rig = setUp(steered);
    const stream = await rig.open(7, lines);
    push(stream, 1, { replace: true });
    push(stream, 2, { replace: true });
    await rig.loop.turn();
    push(stream, 3, { replace: true });
    push(stream, 4, { replace: true });
    await finish(rig);
    assert.deepEqual(rig.fates(), [
      '7: 1 superseded',
      '7: 3 superseded',
      '7: 2 admitted',
      '7: 2 result',
      '7: 4 admitted',
      '7: 4 result',
    ]);
  });

  it('cost their stream what they take', async () => {
    const rig = setUp(steered);
    const stream = await rig.open(7, lines);
    push(stream, 1);
    stream.screen();
    assert.equal(stream.rowCost, 0.5, 'a picture is encoded and decoded in half the time of a row');
    for (let frame = 1; frame < 60; frame++) {
      await finish(rig);
      push(stream, frame + 1);
    }
    stream.screen();
    assert.ok(Math.abs(stream.rowCost - 0.6) < 1e-3, `${stream.rowCost}`);
    assert.equal(stream.pictureCost, 0);
  });
});

describe('a preprocessor that fails', () => {
  it('fails the frame, and neither the stream nor others', async () => {
    const rig = setUp(steered);
    const [first, second] = [await rig.open(1, lines), await rig.open(2, lines)];
    push(first, 1);
    push(second, 1);
    rig.spoil.add('preprocess');
    await finish(rig);
    push(first, 2);
    await finish(rig);
    assert.deepEqual(rig.fates(), [
      'not finite: preprocessor',
      '1: 1 failed',
      '2: 1 admitted',
      '2: 1 result',
      '1: 2 admitted',
      '1: 2 result',
    ]);
    assert.equal(
      rig.given.filter((memory) => memory.length > 0).length,
      rig.posted.filter(({ type }) => type === 'recycle' || type === 'result').length,
    );
  });

  it('tries the pictures of a call that breaks off one by one', async () => {
    const rig = setUp(steered);
    for (const id of [1, 2, 3]) push(await rig.open(id, lines), 5, { byte: id === 2 ? breaking : id });
    await finish(rig);
    assert.deepEqual(rig.preprocessed, [3, 1, 1, 1]);
    assert.deepEqual(rig.fates(), [
      'note: model.onnx: fails for this picture',
      '2: 5 failed',
      '1: 5 admitted',
      '3: 5 admitted',
      '1: 5 result',
      '3: 5 result',
    ]);
  });
});

describe('the last result as the picture of a control', () => {
  const feedback = {
    controls: { canny: { scale: 1, preprocessor: 'feedback' } },
    t_index_list: [10],
  } as const;

  it('is the result before the frame enters; for the first it is the frame, and after a failure', async () => {
    const rig = setUp(steered);
    const stream = await rig.open(7, feedback);
    const enter = async (frame: number): Promise<void> => {
      push(stream, frame, { byte: 10 * frame });
      await finish(rig);
    };
    for (const frame of [1, 2]) await enter(frame);
    rig.spoil.add('encode');
    await enter(3);
    await enter(4);
    const results = drawn(rig);
    assert.deepEqual(rig.features, ['canny 10', `canny ${results['7: 1']}`, 'canny 40']);
    assert.deepEqual(rig.preprocessed, [], 'no network makes it');
    await stream.configure({ ...usualParameters, ...feedback, width: 2 * side });
    await enter(5);
    assert.equal(rig.features.at(-1), 'canny 50', 'after another size');
  });

  it('is not used if the frame brings a picture', async () => {
    const rig = setUp(steered);
    const stream = await rig.open(7, feedback);
    for (const frame of [1, 2]) {
      push(stream, frame, { controls: { canny: 77 } });
      await finish(rig);
    }
    assert.deepEqual(rig.features, ['canny 77', 'canny 77']);
  });
});

describe('a mask that a network of the model makes', () => {
  const person = { mask_preprocessor: 'person', mask_feather: 0, t_index_list: [10] } as const;

  it('keeps the input where it is black, in the frames of several streams', async () => {
    const rig = setUp(steered);
    // The rig's network inverts a picture: white becomes black.
    for (const id of [1, 2]) push(await rig.open(id, person), 1, { byte: 255 });
    push(await rig.open(3, { t_index_list: [10] }), 1, { byte: 255 });
    await finish(rig);
    assert.deepEqual(rig.preprocessed, [2]);
    const { '1: 1': one, '2: 1': two, '3: 1': plain } = drawn(rig);
    assert.deepEqual([one, two], [255, 255]);
    assert.notEqual(plain, 255);
  });

  it('is inverted as the parameters say, and gives way to the mask of the frame', async () => {
    const rig = setUp(steered);
    const stream = await rig.open(1, { ...person, mask_invert: true });
    push(stream, 1, { byte: 255 });
    await finish(rig);
    push(stream, 2, { byte: 255, mask: 255 });
    await finish(rig);
    const { '1: 1': inverted, '1: 2': own } = drawn(rig);
    assert.notEqual(inverted, 255, 'all may change');
    assert.equal(own, 255, 'nothing may change');
    assert.deepEqual(rig.preprocessed, [1]);
  });

  it('fails its frame alone', async () => {
    const rig = setUp(steered);
    const stream = await rig.open(1, person);
    rig.spoil.add('preprocess');
    for (const frame of [1, 2]) {
      push(stream, frame);
      await finish(rig);
    }
    assert.deepEqual(rig.fates(), [
      'not finite: preprocessor',
      '1: 1 failed',
      '1: 2 admitted',
      '1: 2 result',
    ]);
  });
});
