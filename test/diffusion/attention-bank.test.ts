import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AttentionBank, bankBytes, type BankLayer } from '../../src/diffusion/attention-bank.js';
import type { Lane, Stream } from '../../src/diffusion/stream.js';
import { predict } from './fake-unet.js';
import { createStream, frameLatent, type StreamOptions } from './streams.js';

// The latents of the tests are 2 x 3; at half the side, rounded up, they have 1 x 2 positions.
const layers: readonly BankLayer[] = [
  { divisor: 1, width: 2 },
  { divisor: 2, width: 1 },
];
const lengths = [2 * 6 * 2, 2 * 2 * 1];

/** The keys and values that a frame leaves at a stage, in a role: none has the same. */
function computedBy({ frame, stageIndex, rows }: Lane): (readonly Float32Array[])[] {
  return rows.map(({ role }) => {
    const value = 100 * frame + 10 * stageIndex + (role === 'negative' ? 1 : 0);
    return lengths.map((length, k) => new Float32Array(length).fill(value + k / 10));
  });
}

interface Rig {
  readonly stream: Stream;
  readonly bank: AttentionBank;
  /** Advances all frames by a stage; what each row saw, by frame, stage and role. */
  readonly turn: () => Map<string, readonly number[]>;
}

function setUp(frames: number, interval: number, options: StreamOptions = {}): Rig {
  const stream = createStream({ t_index_list: [18, 35], ...options });
  const bank = new AttentionBank(layers, stream.plan, { frames, interval });
  const turn = (): Map<string, readonly number[]> => {
    const seen = new Map<string, readonly number[]>();
    for (const lane of stream.lanes().map((open) => bank.fill(open))) {
      for (const { role, conditioning } of lane.rows) {
        const { bank_mask: mask, bank_0: first, bank_1: second } = conditioning;
        assert.ok(mask.every((value) => value === 1));
        assert.deepEqual(
          [first.length, second.length],
          lengths.map((length) => length * mask.length),
        );
        const slots = Array.from(mask, (_, slot) => {
          const values = first.subarray(slot * lengths[0], (slot + 1) * lengths[0]);
          assert.ok(values.every((value) => value === values[0]));
          assert.equal(second[slot * lengths[1]], Math.fround(values[0] + 0.1));
          return values[0];
        });
        seen.set(`${lane.frame} ${lane.stageIndex} ${role}`, slots);
      }
      const computed = computedBy(lane);
      bank.keep(lane, computed);
      // The memory of the network is used again.
      for (const values of computed.flat()) values.fill(-1);
      stream.absorb(lane, lane.rows.map(predict));
    }
    return seen;
  };
  return { stream, bank, turn };
}

/** Sorts slots, whose order has no meaning. */
function ascending(slots: readonly number[] = []): readonly number[] {
  return slots.toSorted((a, b) => a - b);
}

/** Lets frames through one after another. @returns what each saw at a stage. */
function run({ stream, turn }: Rig, count: number, stage = 0, role = 'positive'): (readonly number[])[] {
  const seen = new Map<string, readonly number[]>();
  for (let frame = 0; frame < count + 2; frame++) {
    if (frame < count) stream.admit(frame, frameLatent(frame));
    for (const [name, slots] of turn()) seen.set(name, slots);
  }
  return Array.from({ length: count }, (_, frame) => ascending(seen.get(`${frame} ${stage} ${role}`)));
}

describe('the attention bank of a stream', () => {
  it('gives a frame the last ones that passed the same stage', () => {
    assert.deepEqual(run(setUp(2, 1), 5), [[], [0], [0, 100], [100, 200], [200, 300]]);
    assert.deepEqual(run(setUp(2, 1), 4, 1), [[], [10], [10, 110], [110, 210]]);
  });

  it('keeps every so many frames, beginning with the first', () => {
    assert.deepEqual(run(setUp(2, 3), 8), [[], [0], [0], [0], [0, 300], [0, 300], [0, 300], [300, 600]]);
    const rig = setUp(1, 1);
    run(rig, 2);
    rig.bank.interval = 1440;
    assert.deepEqual(run(rig, 3), [[100], [100], [100]], 'an interval can change');
  });

  it('is separate for each role: negative rows see negative ones', () => {
    const seen = run(setUp(1, 1, { cfgType: 'full' }), 3, 1, 'negative');
    assert.deepEqual(seen, [[], [11], [111]]);
    assert.deepEqual(run(setUp(1, 1, { cfgType: 'initialize' }), 3, 0, 'negative'), [[], [1], [101]]);
  });

  it('gives frames that enter together the same, and takes each as a pass of its own', () => {
    const { stream, turn } = setUp(2, 2, { frameBufferSize: 3 });
    for (const frame of [0, 1, 2]) stream.admit(frame, frameLatent(frame));
    // The lanes of one call are formed before any of them is absorbed.
    const lanes = stream.lanes();
    assert.equal(lanes.length, 3);
    turn();
    stream.admit(3, frameLatent(3));
    assert.deepEqual(ascending(turn().get('3 0 positive')), [0, 200]);
  });

  it('neither serves nor takes frames of another size or other timesteps', () => {
    const { stream, bank } = setUp(1, 1);
    const [channels, height, width] = stream.plan.shape;
    const plans = [
      { ...stream.plan, shape: [channels, height * 2, width] as const },
      createStream({ t_index_list: [20, 35] }).plan,
    ];
    for (const plan of plans) {
      stream.plan = plan;
      const lane = stream.admit(0, new Float32Array(plan.shape[0] * plan.shape[1] * plan.shape[2]));
      assert.equal(bank.fill(lane), lane);
      bank.keep(lane, computedBy(lane));
      stream.discard(0);
    }
    stream.plan = createStream({ t_index_list: [18, 35] }).plan;
    const own = bank.fill(stream.admit(1, frameLatent(1)));
    assert.equal(own.rows[0].conditioning['bank_mask'].length, 0);
  });

  it('ignores rows that computed nothing for it, since they were formed before it was turned on', () => {
    const { stream, bank } = setUp(1, 1);
    const lane = stream.admit(0, frameLatent(0));
    bank.keep(lane, []);
    assert.equal(bank.fill(stream.lanes()[0]).rows[0].conditioning['bank_mask'].length, 0);
  });

  it('takes what the keys and values of Stable Diffusion 1.5 take: 11.55 million of each for a row of 512 x 512', () => {
    // Two layers in each down block, one in the middle, three in each up block.
    const all = [
      ...Array<BankLayer>(5).fill({ divisor: 1, width: 320 }),
      ...Array<BankLayer>(5).fill({ divisor: 2, width: 640 }),
      ...Array<BankLayer>(5).fill({ divisor: 4, width: 1280 }),
      { divisor: 8, width: 1280 },
    ];
    const one = bankBytes(all, [4, 64, 64], { frames: 1, rows: 1 });
    assert.equal(one, 2 * 4 * 11_550_720);
    assert.equal(bankBytes(all, [4, 64, 64], { frames: 3, rows: 4 }), 12 * one);
    assert.equal(
      bankBytes([{ divisor: 2, width: 1 }], [4, 3, 5], { frames: 1, rows: 1 }),
      2 * 6 * 4,
      'rounded up',
    );
  });
});
