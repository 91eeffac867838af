import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { relativeError } from '../parity/replay.js';
import { predict } from './fake-unet.js';
import { createStream, frameLatent, type StreamOptions } from './streams.js';
import type { Lane, Row, RowValues, Stream } from '../../src/diffusion/stream.js';
import { cases } from '../support/properties.js';

const [feature, scale] = ['control_0_feature_0', 'control_0_scale'];

/** Returns the values of a frame, which no other frame has. */
function ownOf(frame: number): RowValues {
  return { [feature]: Float32Array.of(frame / 10) };
}

/** Predicts from the control too, as the sum of what its scale makes of it. */
function predictSteered(row: Row): Float32Array {
  const { [feature]: own = [], [scale]: factor = [1] } = row.conditioning;
  return predict(row).map((value) => value + (own[0] ?? 0) * factor[0]);
}

/** Advances all frames by a stage. @returns those that have finished. */
function advance(stream: Stream, finished = new Map<number, Float32Array>()): Map<number, Float32Array> {
  for (const lane of stream.lanes()) {
    const latent = stream.absorb(lane, lane.rows.map(predictSteered));
    if (latent) finished.set(lane.frame, latent.slice());
  }
  return finished;
}

function featuresOf({ rows }: Lane): readonly (number | undefined)[] {
  return rows.map(({ conditioning }) => conditioning[feature]?.[0]);
}

describe('the values of a frame', () => {
  it('go with it through all stages, in both roles, however frames enter and advance', () => {
    const guidance = fc.constantFrom('none', 'full', 'self', 'initialize');
    // How many frames enter before each call: frames with an even number have values.
    const entering = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 4, maxLength: 12 });
    fc.assert(
      fc.property(guidance, entering, fc.integer({ min: 1, max: 4 }), (cfgType, counts, stages) => {
        const options: StreamOptions = { cfgType, t_index_list: [18, 26, 35, 45].slice(4 - stages) };
        const together = createStream({ ...options, frameBufferSize: 2 });
        const finished = new Map<number, Float32Array>();
        let next = 0;
        for (const count of [...counts, ...Array<number>(stages).fill(0)]) {
          for (let i = 0; i < count; i++, next++) {
            together.admit(next, frameLatent(next), next % 2 === 0 ? ownOf(next) : undefined);
          }
          for (const lane of together.lanes()) {
            const wanted = lane.frame % 2 === 0 ? Math.fround(lane.frame / 10) : undefined;
            assert.deepEqual(
              featuresOf(lane),
              lane.rows.map(() => wanted),
            );
          }
          advance(together, finished);
        }
        assert.equal(finished.size, next);
        for (const [frame, latent] of finished) {
          const alone = createStream(options);
          alone.admit(frame, frameLatent(frame), frame % 2 === 0 ? ownOf(frame) : undefined);
          let result: Float32Array | undefined;
          while (alone.oldestFrame !== null) result = advance(alone).get(frame);
          assert.ok(relativeError(latent, result ?? []) < 1e-6, `frame ${frame}`);
        }
      }),
      { numRuns: cases(60) },
    );
  });

  it('do not pass to a later frame that uses the same memory', () => {
    const stream = createStream({ t_index_list: [32] });
    stream.admit(0, frameLatent(0), ownOf(7));
    advance(stream);
    assert.deepEqual(featuresOf(stream.admit(1, frameLatent(1))), [undefined]);
  });

  it('do not travel with a snapshot: a frame that continues elsewhere has none', () => {
    const here = createStream();
    here.admit(0, frameLatent(0), ownOf(7));
    advance(here);
    const state = structuredClone(here.snapshot());
    assert.ok(!JSON.stringify(state).includes(feature));
    const there = createStream();
    there.restore(state);
    assert.deepEqual(there.lanes().map(featuresOf), [[undefined]]);
  });
});

describe('what steering gives at a stage', () => {
  it('reaches rows of both roles, with the stage and the number of stages', () => {
    const stream = createStream({ cfgType: 'full', t_index_list: [18, 35, 45] });
    const { steering } = stream;
    stream.steering = {
      ...steering,
      atStage: (stage, stages) => ({ [scale]: Float32Array.of(10 * stages + stage) }),
    };
    const seen: (readonly number[])[] = [];
    stream.admit(0, frameLatent(0), ownOf(1));
    while (stream.oldestFrame !== null) {
      const [{ rows }] = stream.lanes();
      seen.push(rows.map(({ conditioning }) => conditioning[scale][0]));
      assert.deepEqual(featuresOf(stream.lanes()[0]), [Math.fround(0.1), Math.fround(0.1)]);
      assert.equal(rows[0].conditioning.encoder_hidden_states, steering.negative.encoder_hidden_states);
      advance(stream);
    }
    assert.deepEqual(seen, [
      [30, 30],
      [31, 31],
      [32, 32],
    ]);
  });

  it('applies to all frames under way at once', () => {
    const stream = createStream({ t_index_list: [18, 35] });
    stream.admit(0, frameLatent(0));
    advance(stream);
    stream.admit(1, frameLatent(1));
    stream.steering = { ...stream.steering, atStage: () => ({ [scale]: Float32Array.of(5) }) };
    assert.deepEqual(
      stream.lanes().map(({ rows: [row] }) => row.conditioning[scale][0]),
      [5, 5],
    );
  });

  it('is nothing by default: rows then have the very conditioning of the prompt', () => {
    const stream = createStream();
    const { rows } = stream.admit(0, frameLatent(0));
    assert.equal(rows[0].conditioning, stream.steering.positive);
  });
});
