import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Guidance, GuidanceType } from '../../src/diffusion/guidance.js';
import type { Plan } from '../../src/diffusion/in-flight.js';
import { Stream, type Trace } from '../../src/diffusion/stream.js';
import type { History, Latent, Solver, Stage, Step } from '../../src/diffusion/types.js';
import { assertClose } from '../support/compare.js';

const stages: readonly Stage[] = [
  { timestep: 9, a: 0.6, b: 0.8, inputScale: 0.5 },
  { timestep: 4, a: 0.8, b: 0.6, inputScale: 1 },
];
const fill = (value: number, length = 2): Latent => new Float32Array(length).fill(value);

/** The inputs of a step, only their first values. */
interface Given {
  readonly stage: number;
  readonly sample: number;
  readonly eps: number;
  readonly noise: number;
}

/** A solver whose steps can be added up by hand. */
class Adding implements Solver {
  readonly stages = stages;
  readonly initNoiseSigma = 10;
  readonly addsNoise = true;
  readonly steps: Given[] = [];

  createHistory(length: number): History {
    return { count: 0, kept: new Float32Array(length) };
  }

  step({ stage, sample, eps, noise, history, out }: Step): void {
    this.steps.push({ stage, sample: sample[0], eps: eps[0], noise: noise[0] });
    history['count'] = (history['count'] as number) + 1;
    for (let i = 0; i < out.length; i++) out[i] = sample[i] + 2 * eps[i] + 4 * noise[i];
  }
}

interface Made {
  readonly stream: Stream;
  readonly solver: Adding;
  readonly stockSolver: Adding;
}

function planOf(solver: Solver, stockSolver: Solver, width = 2): Plan {
  return {
    solver,
    stockSolver,
    prediction: 'epsilon',
    shape: [1, 1, width],
    noise: {
      at: (stage, ordinal) => fill(1 + stage + 10 * ordinal, width),
      start: (ordinal) => fill(-1 - ordinal, width),
    },
  };
}

function make(type: GuidanceType = 'none', scale = 3, delta = 0.5): Made {
  const [solver, stockSolver] = [new Adding(), new Adding()];
  const guidance: Guidance = { type, scale, delta };
  const [positive, negative] = [1, -1].map((value) => ({ encoder_hidden_states: fill(value) }));
  const steering = { guidance, positive, negative };
  const admission = { denoise: 'stream', frameBufferSize: 9 } as const;
  return { stream: new Stream(planOf(solver, stockSolver), steering, admission), solver, stockSolver };
}

/** Absorbs the oldest frame; returns the result with the trace of guidance. */
function absorb(stream: Stream, ...predictions: readonly number[]) {
  const [lane] = stream.lanes();
  let seen = { eps: Number.NaN, stock: Number.NaN, stageIndex: Number.NaN };
  const look = ({ eps, stock, stageIndex }: Trace): void => {
    seen = { eps: eps[0], stock: stock[0], stageIndex };
  };
  const width = lane.shape[2];
  const result = stream.absorb(
    lane,
    predictions.map((value) => fill(value, width)),
    look,
  );
  return { ...seen, result };
}

/** How many steps each frame has had, by its history. */
const countOf = (stream: Stream): readonly unknown[] =>
  stream.snapshot().frames.map(({ history }) => history['count']);

describe('a frame', () => {
  it('enters noised to the first stage, or as noise alone', () => {
    const { stream } = make();
    stream.admit(5, fill(7));
    stream.admit(6, fill(7));
    stream.admit(7, null);
    const inputs = stream.lanes().map(({ rows: [row] }) => row.input[1]);
    assertClose(inputs, [0.6 * 7 + 0.8 * 1, 0.6 * 7 + 0.8 * 11, -3 * 10 * 0.5], 1e-6, 'inputs');
    const samples = stream.snapshot().frames.map(({ sample }) => sample[0]);
    assertClose(samples, [(0.6 * 7 + 0.8) / 0.5, (0.6 * 7 + 8.8) / 0.5, -30], 1e-6, 'samples');
    assert.deepEqual(
      stream.snapshot().frames.map(({ frame, ordinal, stock }) => [frame, ordinal, Array.from(stock)]),
      [
        [5, 0, [1, 1]],
        [6, 1, [11, 11]],
        [7, 2, [21, 21]],
      ],
    );
  });

  it('moves from stage to stage, with the noise of the next, and leaves after the last', () => {
    const { stream, solver, stockSolver } = make();
    stream.admit(5, fill(0));
    const before = 0.8 / 0.5;
    const first = absorb(stream, 100);
    assert.deepEqual([first.result, first.eps, first.stageIndex], [null, 100, 0]);
    const middle = before + 200 + 4 * 2;
    const [lane] = stream.lanes();
    assert.deepEqual([lane.frame, lane.stageIndex, lane.shape], [5, 1, [1, 1, 2]]);
    assert.equal(lane.rows[0].stage, stages[1]);
    assertClose(lane.rows[0].input, fill(middle), 1e-5, 'input');
    const last = absorb(stream, 1000);
    assertClose(last.result ?? [], fill(middle + 2000 + 4 * 3), 1e-5, 'result');
    assert.deepEqual([last.stageIndex, stream.oldestFrame], [1, null]);
    assert.deepEqual(
      solver.steps.map(({ stage, eps, noise }) => [stage, eps, noise]),
      [
        [0, 100, 2],
        [1, 1000, 3],
      ],
    );
    assert.deepEqual(stockSolver.steps, [], 'without residual guidance there is no stock noise');
  });

  it('can be discarded, and others stay', () => {
    const { stream } = make();
    for (const frame of [5, 6, 7]) stream.admit(frame, fill(0));
    const frames = (): readonly number[] => stream.lanes().map(({ frame }) => frame);
    stream.discard(6);
    assert.deepEqual(frames(), [5, 7]);
    stream.discard(6);
    stream.discard(99);
    assert.deepEqual(frames(), [5, 7]);
    stream.discard(5);
    assert.deepEqual([frames(), stream.oldestFrame, stream.ordinal], [[7], 7, 3]);
    const [lane] = stream.lanes();
    stream.discard(7);
    assert.throws(() => stream.absorb(lane, [fill(0)]), {
      name: 'RangeError',
      message: 'frame 7 is not under way',
    });
  });
});

describe('guidance', () => {
  const rows = (stream: Stream): string =>
    stream
      .lanes()[0]
      .rows.map(({ role, conditioning }) => `${role} ${conditioning.encoder_hidden_states[0]}`)
      .join();

  it('of type full moves away from the negative row at each stage', () => {
    const { stream, stockSolver } = make('full');
    stream.admit(0, fill(0));
    for (const _ of stages) {
      assert.equal(rows(stream), 'negative -1,positive 1');
      assert.equal(absorb(stream, 10, 40).eps, 10 + 3 * (40 - 10));
    }
    assert.deepEqual(stockSolver.steps, []);
  });

  it('of type self moves away from the stock noise, which moves as the sample does', () => {
    const { stream, stockSolver } = make('self');
    stream.admit(0, fill(0));
    assert.equal(rows(stream), 'positive 1');
    const first = absorb(stream, 40);
    assert.deepEqual([first.stock, first.eps], [1, 0.5 + 3 * (40 - 0.5)]);
    const start = 0.8 / 0.5;
    const stock = (start + 2 * first.eps + 4 * 2) * (1 / 0.6);
    const [given] = stockSolver.steps;
    assertClose([given.stage, given.sample, given.eps, given.noise], [0, start, first.eps, 2], 1e-5, 'stock');
    const second = absorb(stream, 7);
    assertClose([second.stock, second.eps], [stock, stock / 2 + 3 * (7 - stock / 2)], 1e-5, 'second');
    assert.equal(stockSolver.steps.length, 1, 'after the last stage there is no next noise');
  });

  it('of type initialize takes its stock noise from the negative row of the first stage', () => {
    const { stream } = make('initialize');
    stream.admit(0, fill(0));
    assert.equal(rows(stream), 'negative -1,positive 1');
    const first = absorb(stream, 10, 40);
    assert.deepEqual([first.stock, first.eps], [10, 5 + 3 * (40 - 5)]);
    assert.equal(rows(stream), 'positive 1');
  });

  it('with a scale of 1 changes nothing, and the stock noise moves on', () => {
    const { stream, stockSolver } = make('self', 1);
    stream.admit(0, fill(0));
    assert.equal(absorb(stream, 40).eps, 40);
    assert.equal(stockSolver.steps.length, 1);
  });
});

describe('memory', () => {
  const finish = (stream: Stream): Latent => {
    absorb(stream, 0);
    return absorb(stream, 0).result ?? assert.fail('it is not finished');
  };

  it('of a finished frame is reused for the next of the same plan, and of no other', () => {
    const { stream, solver, stockSolver } = make();
    stream.admit(0, fill(0));
    const first = finish(stream);
    const { plan } = stream;
    stream.plan = plan;
    stream.admit(1, fill(0));
    assert.equal(finish(stream), first);
    stream.plan = planOf(solver, stockSolver, 5);
    stream.admit(2, fill(0, 5));
    const longer = finish(stream);
    assert.equal(longer.length, 5);
    stream.admit(3, fill(0, 5));
    stream.plan = planOf(solver, stockSolver, 3);
    assert.deepEqual([finish(stream).length, stream.oldestShape], [5, null]);
    stream.admit(4, fill(0, 3));
    assert.deepEqual([stream.oldestShape, finish(stream).length], [[1, 1, 3], 3]);
  });

  it('is not shared between frames under way or with a snapshot', () => {
    const { stream } = make();
    for (const frame of [0, 1]) stream.admit(frame, fill(frame));
    const before = stream.snapshot();
    const copy = structuredClone(before);
    absorb(stream, 3);
    assert.deepEqual(before, copy);
    assert.deepEqual(countOf(stream), [1, 0]);
  });
});

describe('a snapshot', () => {
  it('holds the frames under way with the current plan, and restores them', () => {
    const { stream, solver, stockSolver } = make('self');
    stream.admit(5, fill(1));
    stream.plan = planOf(solver, stockSolver);
    for (const frame of [6, 7]) stream.admit(frame, fill(2));
    const lane = stream.lanes()[1];
    stream.absorb(lane, [fill(8)]);
    const state = stream.snapshot();
    assert.deepEqual(
      state.frames.map(({ frame, ordinal, stageIndex }) => [frame, ordinal, stageIndex]),
      [
        [6, 1, 1],
        [7, 2, 0],
      ],
    );
    assert.equal(state.ordinal, 3);
    const other = make('self').stream;
    other.admit(99, fill(0));
    other.restore(state);
    assert.deepEqual(other.snapshot(), state);
    assert.deepEqual([other.ordinal, other.oldestFrame, countOf(other).join()], [3, 6, '1,0']);
    assert.equal(state.frames[0].stockHistory['count'], 1);
  });
});
