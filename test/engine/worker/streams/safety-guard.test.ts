import assert from 'node:assert/strict';
import { after, describe, it, mock } from 'node:test';
import type { FromWorker } from '../../../../src/engine/messages.js';
import { Blur } from '../../../../src/engine/worker/networks/blur.js';
import { SafetyGuard } from '../../../../src/engine/worker/streams/safety-guard.js';
import type { LiveStream } from '../../../../src/engine/worker/streams/live-stream.js';
import { steeredFolder } from '../../../support/steered-folder.js';
import { clock, folder, push, setUp, usualParameters, type Rig, useClock } from './frame-loop-rig.js';

useClock();

const blur = await Blur.load(1);
after(() => blur[Symbol.asyncDispose]());

interface Guarded extends Rig {
  /** First bytes of the pictures of each call of the checker. */
  readonly checks: number[][];
  readonly verdicts: FromWorker[];
  /** Pushes a live frame, and takes one turn of the loop. */
  readonly show: (stream: LiveStream, frame: number) => Promise<void>;
  /** The results in order: `stream: frame`, with `flagged` if they were. */
  readonly sent: () => readonly string[];
}

/** A loop whose checker takes 6 ms a picture and flags those that `isBad` says; a result is its frame's number. */
function guarded(isBad: (call: number, picture: number) => boolean | null, model = folder): Guarded {
  const checks: number[][] = [];
  const verdicts: FromWorker[] = [];
  const guard = new SafetyGuard(
    {
      probabilities(images) {
        clock.now += 6 * images.length;
        checks.push(images.map(({ data }) => data[0] ?? NaN));
        const call = checks.length;
        const probability = (bad: boolean | null): number => (bad === null ? NaN : Number(bad));
        return Promise.resolve(images.map((_, i) => probability(isBad(call, i))));
      },
      isFlagged: (probability) => !(probability < 0.5),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    blur,
    (message) => verdicts.push(message),
  );
  const rig = setUp({ guard, model });
  const show = async (stream: LiveStream, frame: number): Promise<void> => {
    push(stream, frame, { replace: true });
    await rig.loop.turn();
  };
  const sent = (): readonly string[] =>
    rig.results().map(({ stream, frame, flagged }) => `${stream}: ${frame}${flagged ? ' flagged' : ''}`);
  return { ...rig, checks, verdicts, show, sent };
}

const oneStep = { t_index_list: [30] };

describe('the verdict on a result', () => {
  it('of a live stream decides on the next one, except on the first, which waits for it', async () => {
    const rig = guarded((call) => call === 1 || call === 4);
    const stream = await rig.open(1, oneStep);
    await rig.show(stream, 1);
    assert.deepEqual(rig.sent(), ['1: 1 flagged'], 'the first is checked before it leaves');
    assert.equal(rig.checks.length, 1);
    for (const frame of [2, 3, 4, 5]) await rig.show(stream, frame);
    // Calls 2, 3, 4 and 5 check the results 2, 3, 4 and 5 after they have left.
    assert.deepEqual(rig.sent().slice(1), ['1: 2 flagged', '1: 3', '1: 4', '1: 5 flagged']);
    assert.equal(rig.checks.length, 5);
    assert.deepEqual(
      rig.verdicts.map(({ type }) => type),
      ['flagged', 'flagged', 'flagged'],
    );
  });

  it('costs a live result no time: it is sent before its check', async () => {
    const rig = guarded(() => false);
    const stream = await rig.open(1, oneStep);
    await rig.show(stream, 1);
    await rig.show(stream, 2);
    const [first, second] = rig.results();
    assert.deepEqual([first?.timings.vaeDecodeMs, second?.timings.vaeDecodeMs], [3 + 6, 3]);
    assert.deepEqual(rig.checks[1]?.length, 1);
  });

  it('is reached in one call for all streams', async () => {
    const rig = guarded((call, picture) => call === 4 && picture === 1);
    const streams = [await rig.open(1, oneStep), await rig.open(2, oneStep), await rig.open(3, oneStep)];
    for (const frame of [1, 2, 3]) {
      for (const stream of streams) push(stream, frame, { replace: true });
      await rig.loop.turn();
    }
    // The first result of each stream is checked in time.
    assert.deepEqual(
      rig.checks.map(({ length }) => length),
      [1, 1, 1, 3, 3],
    );
    assert.deepEqual(
      rig.sent().filter((line) => line.includes('flagged')),
      ['2: 3 flagged'],
    );
  });

  it('is waited for after a change of parameters, and after a pause', async () => {
    const rig = guarded((call) => call > 2);
    const stream = await rig.open(1, oneStep);
    for (const frame of [1, 2]) await rig.show(stream, frame);
    await stream.configure({ ...usualParameters, ...oneStep, prompt: 'another' });
    await rig.show(stream, 3);
    assert.deepEqual(rig.sent(), ['1: 1', '1: 2', '1: 3 flagged']);
    const slow = guarded((call) => call > 2);
    const other = await slow.open(1, oneStep);
    for (const frame of [1, 2]) await slow.show(other, frame);
    clock.now += 1000;
    await slow.show(other, 3);
    assert.deepEqual(slow.sent(), ['1: 1', '1: 2', '1: 3 flagged']);
  });

  it('considers all results that left together', async () => {
    // Of the frames 2 and 3, which share a call, only the first is bad.
    const rig = guarded((call, picture) => call === 2 && picture === 0);
    const stream = await rig.open(1, { ...oneStep, frame_buffer_size: 2 });
    await rig.show(stream, 1);
    for (const frame of [2, 3]) push(stream, frame, { replace: true });
    await rig.loop.turn();
    await rig.show(stream, 4);
    assert.deepEqual(rig.sent(), ['1: 1', '1: 2', '1: 3', '1: 4 flagged']);
    assert.deepEqual(
      rig.checks.map(({ length }) => length),
      [1, 2, 1],
    );
  });

  it('is waited for where every frame counts', async () => {
    const rig = guarded((call) => call === 2);
    const stream = await rig.open(1, oneStep);
    for (const frame of [1, 2, 3]) {
      push(stream, frame);
      await rig.loop.turn();
    }
    assert.deepEqual(rig.sent(), ['1: 1', '1: 2 flagged', '1: 3']);
  });

  it('flags what the network computes NaN for, and reports it', async () => {
    const rig = guarded(() => null);
    const stream = await rig.open(1, oneStep);
    await rig.show(stream, 1);
    assert.deepEqual(rig.sent(), ['1: 1 flagged']);
    assert.deepEqual(rig.verdicts, [{ type: 'not_finite', part: 'safety_checker' }, { type: 'flagged' }]);
  });
});

it('a flagged result is blurred, others are unchanged', async () => {
  const results = async (isBad: boolean): Promise<Uint8Array> => {
    const rig = guarded(() => isBad);
    const stream = await rig.open(1, oneStep);
    stream.pictures.complete = ({ data }) => data.forEach((_, i) => (data[i] = i % 2 === 0 ? 255 : 0));
    await rig.show(stream, 1);
    const [result] = rig.results();
    assert.ok(result);
    return new Uint8Array(result.pixels);
  };
  const [sharp, blurred] = [await results(false), await results(true)];
  assert.deepEqual(new Set(sharp), new Set([0, 255]));
  assert.notDeepEqual(blurred, sharp);
});

it('feedback is a flagged result as it was sent, which shows as the picture of a control', async () => {
  const rig = guarded(() => true, steeredFolder(folder));
  const controls = { canny: { scale: 1, preprocessor: 'feedback' } } as const;
  const stream = await rig.open(1, { ...oneStep, controls, control_previews: true });
  stream.pictures.complete = ({ data }) => data.forEach((_, i) => (data[i] = i % 2 === 0 ? 255 : 0));
  await rig.show(stream, 1);
  clock.now += 1000;
  await rig.show(stream, 2);
  const [sent, next] = rig.results();
  assert.ok(sent && next);
  assert.deepEqual(next.controls?.['canny']?.data, new Uint8Array(sent.pixels));
});

it('the checks of a stream are charged to its share', async () => {
  const rig = guarded(() => false);
  const [one, two] = [await rig.open(1, oneStep), await rig.open(2, oneStep)];
  const charged = new Map<LiveStream, number>();
  mock.method(rig.loop, 'charge', (stream: LiveStream, ms: number) => {
    charged.set(stream, (charged.get(stream) ?? 0) + ms);
  });
  await rig.show(one, 1);
  await rig.show(one, 2);
  await rig.show(two, 1);
  assert.deepEqual([charged.get(one), charged.get(two)], [12, 6]);
  // Of one, encoding and decoding take 5 ms, as expected, and each check 6 ms more.
  const pictures = rig.inferences().map(({ pictureMs, expectedMs, ms }) => [pictureMs, expectedMs - ms]);
  assert.deepEqual(pictures, [
    [0, 0],
    [11, 5],
    [11, 5],
  ]);
});

it('a stream that has ended is forgotten', async () => {
  const rig = guarded(() => true);
  const stream = await rig.open(1, oneStep);
  await rig.show(stream, 1);
  rig.loop.remove(stream);
  rig.loop.add(stream);
  await rig.show(stream, 2);
  assert.equal(rig.checks.length, 2, 'its first result is checked in time again');
});
