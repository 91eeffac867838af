import assert from 'node:assert/strict';
import { test } from 'node:test';
import { solverNames } from '@millrace/protocol';
import { relativeError } from '../parity/replay.js';
import { assertClose } from '../support/compare.js';
import { advance } from './fake-unet.js';
import { createStream, frameLatent, latentLength, type StreamOptions } from './streams.js';

const frames = 9;
const guidanceTypes = ['none', 'full', 'self', 'initialize'] as const;

/** Runs frames through a stream: admits whenever there is room, and drains at the end. */
function run(options: StreamOptions, count = frames): Map<number, Float32Array> {
  const stream = createStream(options);
  const out = new Map<number, Float32Array>();
  for (let next = 0; next < count || stream.oldestFrame !== null;) {
    for (let room = stream.room(); room > 0 && next < count; room--) stream.admit(next, frameLatent(next++));
    for (const [frame, latent] of advance(stream)) out.set(frame, latent);
  }
  return out;
}

function assertSame(
  got: Map<number, Float32Array>,
  wanted: Map<number, Float32Array>,
  tolerance = 1e-6,
): void {
  assert.deepEqual([...got.keys()], [...wanted.keys()]);
  for (const [frame, latent] of wanted) {
    const error = relativeError(got.get(frame)!, latent);
    assert.ok(error <= tolerance, `frame ${frame}: error ${error}`);
  }
}

test('the stream batch gives the results of sequential denoising, for every solver, guidance and n', () => {
  for (const solver of solverNames) {
    for (const cfgType of guidanceTypes) {
      for (const t_index_list of [[32], [32, 45], [18, 26, 35, 45]]) {
        const options = { solver, cfgType, t_index_list } as const;
        for (const momentum of [1, 0.8]) {
          const both = { ...options, momentum };
          assertSame(run({ ...both, denoise: 'stream' }), run({ ...both, denoise: 'sequential' }));
        }
      }
    }
  }
});

test('every frame comes out once, in order, none lost at the head or the tail', () => {
  for (const t_index_list of [[32], [18, 26, 35, 45], [0, 5, 10, 15, 20, 25, 30]]) {
    const stream = createStream({ t_index_list });
    const n = t_index_list.length;
    const out: number[] = [];
    const outputsByCall: number[] = [];
    for (let call = 0; call < frames; call++) {
      stream.admit(call, frameLatent(call));
      const finished = advance(stream).map(([frame]) => frame);
      out.push(...finished);
      outputsByCall.push(finished.length);
    }
    // One call per frame while frames arrive: the stream batch.
    assert.deepEqual(
      outputsByCall,
      Array.from({ length: frames }, (_, call) => (call < n - 1 ? 0 : 1)),
    );
    while (stream.oldestFrame !== null) out.push(...advance(stream).map(([frame]) => frame));
    assert.deepEqual(
      out,
      Array.from({ length: frames }, (_, i) => i),
    );
  }
});

test('frames entering together with frame_buffer_size come out as they do alone, for any n', () => {
  for (const cfgType of guidanceTypes) {
    for (const t_index_list of [[32], [32, 45], [18, 26, 35, 45]]) {
      const options = { cfgType, t_index_list };
      for (const denoise of ['stream', 'sequential'] as const) {
        assertSame(run({ ...options, denoise, frameBufferSize: 3 }), run(options));
      }
    }
  }
});

test('a prompt change reaches the frames under way, and the negative rows stay', () => {
  for (const cfgType of ['full', 'initialize'] as const) {
    const stream = createStream({ cfgType });
    for (let frame = 0; frame < 3; frame++) {
      stream.admit(frame, frameLatent(frame));
      advance(stream);
    }
    const rowsBefore = stream.lanes().flatMap(({ rows }) => rows);
    stream.steering = { ...stream.steering, positive: { encoder_hidden_states: Float32Array.of(0.9) } };
    const rows = stream.lanes().flatMap((lane) => lane.rows);
    assert.deepEqual(
      rows.map(({ role }) => role),
      rowsBefore.map(({ role }) => role),
    );
    for (const { role, conditioning } of rows) {
      assert.equal(conditioning.encoder_hidden_states[0], Math.fround(role === 'positive' ? 0.9 : -0.5));
    }
    if (cfgType === 'full') assert.equal(rows.filter(({ role }) => role === 'negative').length, 3);
  }
});

test('full and initialize at a guidance scale of 1 or below are the same as none', () => {
  for (const guidanceScale of [1, 0.5, 0]) {
    for (const cfgType of ['full', 'initialize', 'self'] as const) {
      assertSame(run({ cfgType, guidanceScale }), run({ cfgType: 'none' }), 0);
    }
  }
});

test('single-step self guidance stays bounded over 10,000 frames', () => {
  // Where the original's feedback gain (b/a)(1 + (g-1)d) is far above 1: it reaches 1e12 after 128 frames.
  const stream = createStream({ cfgType: 'self', t_index_list: [32], guidanceScale: 1.4 });
  let first: Float32Array | undefined;
  for (let frame = 0; frame < 10_000; frame++) {
    stream.admit(frame, frameLatent(frame % 7));
    const [[, latent] = []] = advance(stream);
    assert.ok(latent);
    if (frame === 0) first = latent;
    if (frame === 9_996) assert.deepEqual(latent, first, 'equal inputs give equal outputs');
  }
});

test('guidance changes the result, and delta scales the stock noise', () => {
  const none = run({ cfgType: 'none' }).get(5)!;
  for (const cfgType of ['full', 'self', 'initialize'] as const) {
    assert.ok(relativeError(run({ cfgType }).get(5)!, none) > 1e-2, cfgType);
  }
  for (const cfgType of ['self', 'initialize'] as const) {
    const a = run({ cfgType, delta: 1 }).get(5)!;
    const b = run({ cfgType, delta: 0.5 }).get(5)!;
    assert.ok(relativeError(a, b) > 1e-3, cfgType);
  }
});

test('the stock noise stays the same while the prediction equals it', () => {
  for (const solver of ['DDIMScheduler', 'EulerDiscreteScheduler', 'DPMSolverMultistepScheduler'] as const) {
    const stream = createStream({ solver, cfgType: 'self' });
    stream.admit(0, frameLatent(0));
    const noise = stream.plan.noise.at(0, 0).slice();
    for (let stage = 0; stage < 4; stage++) {
      const [lane] = stream.lanes();
      let stock = new Float32Array();
      stream.absorb(lane, [noise], (trace) => (stock = trace.stock.slice()));
      assertClose(stock, noise, 1e-5, `${solver}, stage ${stage}`);
    }
  }
});

test('a stream returns the oldest frame under way and its shape', () => {
  const stream = createStream();
  assert.deepEqual([stream.oldestFrame, stream.oldestShape, stream.ordinal], [null, null, 0]);
  stream.admit(7, frameLatent(0));
  stream.admit(8, null);
  assert.deepEqual([stream.oldestFrame, stream.oldestShape, stream.ordinal], [7, [4, 2, 3], 2]);
});

test('a frame enters with two rows if guidance needs a negative one', () => {
  assert.equal(createStream({ cfgType: 'full' }).entryRows, 2);
  assert.equal(createStream({ cfgType: 'initialize' }).entryRows, 2);
  assert.equal(createStream({ cfgType: 'self' }).entryRows, 1);
});

test('equal seeds give equal results, different seeds different ones; txt2img draws noise for each frame', () => {
  assertSame(run({ seed: 7 }), run({ seed: 7 }), 0);
  assert.ok(relativeError(run({ seed: 7 }).get(0)!, run({ seed: 8 }).get(0)!) > 1e-2);
  const starts = [0, 1].map(() => {
    const stream = createStream({ t_index_list: [0] });
    stream.admit(0, null);
    const [[, first] = []] = advance(stream);
    stream.admit(1, null);
    const [[, second] = []] = advance(stream);
    assert.ok(first && second && relativeError(first, second) > 1e-2);
    return first;
  });
  assert.deepEqual(starts[0], starts[1]);
});

test('frames under way keep the plan that they entered with', () => {
  const stream = createStream({ t_index_list: [18, 26, 35, 45] });
  stream.admit(0, frameLatent(0));
  advance(stream);
  stream.plan = createStream({ t_index_list: [32] }).plan;
  stream.admit(1, frameLatent(1));
  const out = new Map<number, Float32Array>();
  while (stream.oldestFrame !== null) for (const [frame, latent] of advance(stream)) out.set(frame, latent);
  assert.ok(relativeError(out.get(0)!, run({ t_index_list: [18, 26, 35, 45] }).get(0)!) <= 1e-6);
  assert.ok(relativeError(out.get(1)!, run({ t_index_list: [32] }, 2).get(1)!) <= 1e-6);
});

test('a stream continues from the snapshot of another one', () => {
  for (const solver of solverNames) {
    const options = { solver, cfgType: 'self', momentum: 0.8 } as const;
    const stream = createStream(options);
    for (let frame = 0; frame < 5; frame++) {
      stream.admit(frame, frameLatent(frame));
      advance(stream);
    }
    const other = createStream(options);
    other.restore(structuredClone(stream.snapshot()));
    for (let frame = 5; frame < 9; frame++) {
      for (const each of [stream, other]) each.admit(frame, frameLatent(frame));
      assert.deepEqual(advance(other), advance(stream), solver);
    }
  }
});

test('lanes can be absorbed in any order and one at a time', () => {
  const wanted = run({ cfgType: 'initialize' });
  const stream = createStream({ cfgType: 'initialize' });
  const out = new Map<number, Float32Array>();
  let turn = 0;
  for (let next = 0; next < frames || stream.oldestFrame !== null; turn++) {
    if (next < frames && stream.room() > 0) stream.admit(next, frameLatent(next++));
    const lanes = stream.lanes();
    const lane = lanes[turn % lanes.length];
    for (const [frame, latent] of advance(stream, [lane])) out.set(frame, latent);
  }
  assertSame(new Map([...out].toSorted(([a], [b]) => a - b)), wanted);
});

test('as many frames may enter as frame_buffer_size leaves beside those at the first stage', () => {
  const stream = createStream({ frameBufferSize: 3 });
  const room = (): number => stream.room();
  assert.equal(room(), 3);
  stream.admit(0, frameLatent(0));
  assert.equal(room(), 2);
  stream.admit(1, frameLatent(1));
  assert.equal(room(), 1);
  advance(stream);
  assert.equal(room(), 3, 'frames at later stages do not count');
  for (const frame of [2, 3, 4]) stream.admit(frame, frameLatent(frame));
  assert.equal(room(), 0);
  stream.admission = { ...stream.admission, frameBufferSize: 1 };
  assert.equal(room(), 0, 'more have entered than are now allowed');
});

test('sequential denoising admits frames only together, while none is at a later stage', () => {
  const stream = createStream({ denoise: 'sequential', frameBufferSize: 2 });
  stream.admit(0, frameLatent(0));
  assert.equal(stream.room(), 1);
  stream.admit(1, frameLatent(1));
  assert.equal(stream.room(), 0);
  const [first] = stream.lanes();
  advance(stream, [first]);
  assert.equal(stream.room(), 0);
  while (stream.oldestFrame !== null) advance(stream);
  assert.equal(stream.room(), 2);
});

test('absorbing a frame that is not under way is refused', () => {
  const stream = createStream({ t_index_list: [32] });
  stream.admit(0, frameLatent(0));
  const [lane] = stream.lanes();
  advance(stream);
  assert.throws(() => stream.absorb(lane, [new Float32Array(latentLength)]), RangeError);
});
