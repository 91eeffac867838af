import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Feedback } from '../../src/diffusion/feedback.js';
import { advance } from './fake-unet.js';
import { createStream, frameLatent, latentLength, type StreamOptions } from './streams.js';

const floats = (...values: readonly number[]): Float32Array => Float32Array.from(values);

describe('latent feedback', () => {
  it('mixes a share of the latent that finished last', () => {
    const feedback = new Feedback();
    const latent = floats(4, -8);
    assert.equal(feedback.mix(latent, 0.25), latent, 'there is none yet');
    const finished = floats(0, 16);
    feedback.keep(finished);
    finished.fill(9);
    assert.deepEqual(feedback.mix(latent, 0.25), floats(3, -2));
    assert.equal(feedback.mix(latent, 0), latent);
    feedback.keep(floats(4, 0));
    assert.deepEqual(feedback.mix(latent, 0.5), floats(4, -4));
    assert.deepEqual(latent, floats(4, -8));
  });

  it('can be moved as a copy, and removed', () => {
    const [here, there] = [new Feedback(), new Feedback()];
    assert.equal(here.state, null);
    here.keep(floats(2, 4));
    there.state = here.state;
    here.keep(floats(0, 0));
    assert.deepEqual(there.mix(floats(0, 0), 0.5), floats(1, 2));
    there.state = null;
    assert.deepEqual(there.mix(floats(0, 0), 0.5), floats(0, 0));
  });
});

/** Runs frames through a stream one after another. @returns their latents. */
function run(stream: ReturnType<typeof createStream>, from: number, to: number): readonly Float32Array[] {
  const out: Float32Array[] = [];
  for (let frame = from; frame < to; frame++) {
    stream.admit(frame, frameLatent(frame));
    for (const [, latent] of advance(stream)) out.push(latent);
  }
  return out;
}

describe('a stream with feedback', () => {
  const options: StreamOptions = { t_index_list: [32], feedback: 0.6 };

  it('gives each frame the result before it, which a stream without feedback does not', () => {
    const with0 = run(createStream(options), 0, 3);
    const expected = createStream({ ...options, feedback: 0 });
    let finished: Float32Array | null = null;
    for (const [frame, latent] of with0.entries()) {
      const entering = frameLatent(frame);
      const before: Float32Array = finished ?? entering;
      expected.admit(
        frame,
        entering.map((x, i) => Math.fround(0.4 * x + 0.6 * before[i])),
      );
      const [[, wanted] = []] = advance(expected);
      assert.deepEqual(latent, wanted);
      finished = latent;
    }
    const without = run(createStream({ ...options, feedback: 0 }), 0, 3);
    assert.deepEqual(without[0], with0[0]);
    assert.notDeepEqual(without[1], with0[1]);
  });

  it('takes a change of the share from the next frame on, without having to wait for a result', () => {
    const stream = createStream({ ...options, feedback: 0 });
    run(stream, 0, 2);
    stream.admission = { ...stream.admission, feedback: 0.6 };
    const [changed] = run(stream, 2, 3);
    const [plain] = run(createStream({ ...options, feedback: 0 }), 2, 3);
    assert.notDeepEqual(changed, plain);
  });

  it('continues elsewhere exactly as here', () => {
    const here = createStream({ ...options, t_index_list: [18, 32] });
    run(here, 0, 4);
    const there = createStream({ ...options, t_index_list: [18, 32] });
    there.restore(structuredClone(here.snapshot()));
    assert.deepEqual(run(there, 4, 8), run(here, 4, 8));
  });

  it('carries nothing to another server without feedback', () => {
    const stream = createStream({ ...options, feedback: 0 });
    run(stream, 0, 2);
    assert.equal(stream.snapshot().finished, undefined);
    stream.admission = { ...stream.admission, feedback: 0.1 };
    assert.equal(stream.snapshot().finished?.length, latentLength);
  });

  it('forgets a frame that failed, and results of another size', () => {
    const stream = createStream(options);
    run(stream, 0, 2);
    stream.discard(1);
    assert.equal(stream.snapshot().finished, undefined);
    run(stream, 2, 3);
    const { plan } = stream;
    const [channels, height, width] = plan.shape;
    stream.admit(3, frameLatent(3));
    stream.plan = { ...plan, shape: [channels, height * 2, width / 2] };
    assert.equal(stream.snapshot().finished, undefined);
    advance(stream);
    assert.equal(stream.snapshot().finished, undefined, 'a frame of the former size does not count');
  });

  it('stays bounded over 10,000 frames, at the largest share', () => {
    const stream = createStream({ ...options, feedback: 0.95 });
    const largest = (from: number, to: number): number =>
      Math.max(...run(stream, from, to).map((latent) => Math.max(...latent.map(Math.abs))));
    run(stream, 0, 500);
    const early = largest(500, 1000);
    run(stream, 1000, 9500);
    assert.ok(largest(9500, 10_000) <= early * 1.001);
  });
});
