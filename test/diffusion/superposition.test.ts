import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compose, type Composition } from '../../src/diffusion/superposition.js';
import type { Stream } from '../../src/diffusion/stream.js';
import { assertClose } from '../support/compare.js';
import { advance } from './fake-unet.js';
import { createStream, frameLatent, type StreamOptions } from './streams.js';

const and: Composition = { type: 'and', temperature: 1, bias: 0, lift: 0 };
const solver = 'EulerMaruyamaScheduler';

/** Creates a stream whose prompt is composed with another one. */
function composedStream(composition: Composition, options: StreamOptions = {}): Stream {
  const stream = createStream({ solver, ...options });
  const second = { encoder_hidden_states: Float32Array.of(-0.8) };
  stream.steering = { ...stream.steering, composed: { second, composition } };
  return stream;
}

/** Runs frames until none is left; returns the results. */
function finish(stream: Stream, count = 5): Float32Array[] {
  const results: Float32Array[] = [];
  for (let next = 0; next < count || stream.oldestFrame !== null;) {
    for (let room = stream.room(); room > 0 && next < count; room--) stream.admit(next, frameLatent(next++));
    results.push(...advance(stream).map(([, latent]) => latent));
  }
  return results;
}

/** Returns the densities of the frames under way. */
const densities = (stream: Stream) =>
  stream.snapshot().frames.map(({ history }) => [history['log_a'] as number, history['log_b'] as number]);

describe('two composed prompts', () => {
  it('take a row each, and one for the negative prompt', () => {
    const roles = (stream: Stream): readonly string[] => {
      return stream.admit(0, frameLatent(0)).rows.map(({ role }) => role);
    };
    assert.deepEqual(roles(composedStream(and)), ['second', 'positive']);
    const guided = composedStream(and, { cfgType: 'full' });
    assert.equal(guided.entryRows, 3);
    assert.deepEqual(roles(guided), ['negative', 'second', 'positive']);
  });

  for (const cfgType of ['none', 'full'] as const) {
    it(`give the same in the stream batch, one after the other and elsewhere, with guidance ${cfgType}`, () => {
      const composition = { ...and, type: 'or' } as const;
      const wanted = finish(composedStream(composition, { cfgType, denoise: 'sequential' }));
      for (const [i, latent] of finish(composedStream(composition, { cfgType })).entries()) {
        assertClose(latent, wanted[i], 1e-6, `frame ${i}`);
      }
      const stream = composedStream(composition, { cfgType });
      stream.admit(0, frameLatent(0));
      advance(stream);
      advance(stream);
      const other = composedStream(composition, { cfgType });
      other.restore(structuredClone(stream.snapshot()));
      assert.notEqual(densities(other)[0][0], densities(other)[0][1]);
      for (const each of [stream, other]) advance(each);
      assert.deepEqual(advance(other), advance(stream));
    });
  }

  it('with "and" stay equally likely, and with "or" the likelier one wins', () => {
    const equal = composedStream(and, { cfgType: 'full' });
    equal.admit(0, frameLatent(0));
    for (let step = 0; step < 3; step++) {
      advance(equal);
      const [[a, b]] = densities(equal);
      assert.ok(Math.abs(a - b) < 1e-6 * Math.max(1, Math.abs(a)), `step ${step}: ${a} and ${b}`);
    }
    const step = {
      sigma: 2,
      change: -1,
      steps: 4,
      guidance: 1,
      a: Float64Array.of(1, 2),
      b: Float64Array.of(-1, 0),
      negative: Float64Array.of(0, 0),
      random: { noise: Float64Array.of(0.3, -0.2) },
    };
    const weight = (logA: number, bias = 0): number => {
      const composition = { type: 'or', temperature: 1, bias, lift: 0 } as const;
      return compose(composition, step, { logA, logB: 0 }, new Float64Array(2));
    };
    assert.equal(weight(0), 1 / 2);
    assert.ok(weight(50) > 0.999);
    assert.ok(weight(-50) < 0.001);
    assert.ok(Math.abs(weight(0, Math.log(3)) - 3 / 4) < 1e-12, 'the weights are the prior odds');
    assert.equal(compose(and, { ...step, b: step.a }, { logA: 0, logB: 0 }, new Float64Array(2)), 1 / 2);
  });

  it('that are the same give what one gives', () => {
    const stream = createStream({ solver, cfgType: 'full' });
    const { positive } = stream.steering;
    stream.steering = { ...stream.steering, composed: { second: positive, composition: and } };
    const single = finish(createStream({ solver, cfgType: 'full' }));
    for (const [i, latent] of finish(stream).entries()) assertClose(latent, single[i], 1e-5, `frame ${i}`);
  });
});
