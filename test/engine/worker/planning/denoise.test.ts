import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CostCurve } from '../../../../src/engine/costs.js';
import { preferredDenoise, type DenoiseCase } from '../../../../src/engine/worker/planning/denoise.js';

function curve(...times: readonly number[]): CostCurve {
  return times.map((ms, i) => ({ rows: 2 ** i, ms }));
}

/** Recorded: the embedded model on two cores of an EPYC, where the costs of rows add up. */
const onProcessor = { costs: curve(59.3, 103.3, 207.1, 434.9), pictureMs: 28.4 };
/** The same while other programs kept both cores busy. */
const disturbed = { costs: curve(83.8, 214.5, 850.2, 2248.2), pictureMs: 106.3 };
/** Recorded: a small U-Net on one core, where a call of four rows costs 2.02 times as much as one of one. */
const small = { costs: curve(4.67, 6.12, 9.45, 16.02), pictureMs: 2.91 };
/** A GPU on which a call of four rows costs 1.2 times as much as one of one. */
const onGpu = { costs: curve(10, 10.5, 12, 20), pictureMs: 5 };

type Case = Partial<DenoiseCase>;

function choice(device: Pick<DenoiseCase, 'costs' | 'pictureMs'>, changes: Case = {}): string {
  const usual = { steps: 4, rowsPerStep: 1, users: 1, isLive: true, current: 'sequential' } as const;
  return preferredDenoise({ ...usual, ...device, ...changes });
}

/** Makes choices one after another, each with the former one as the present one. */
function choices(devices: readonly Pick<DenoiseCase, 'costs' | 'pictureMs'>[], changes: Case): string[] {
  let current: DenoiseCase['current'] = 'sequential';
  return devices.map(
    (device) => (current = choice(device, { ...changes, current }) as DenoiseCase['current']),
  );
}

describe('live, auto', () => {
  it('is sequential on a processor, whatever the steps, guidance, users, and other load', () => {
    for (const device of [onProcessor, disturbed]) {
      for (const steps of [1, 2, 3, 4, 8]) {
        for (const rowsPerStep of [1, 2]) {
          for (const users of [1, 2, 4, 16]) {
            for (const current of ['stream', 'sequential'] as const) {
              const of = { steps, rowsPerStep, users, current };
              assert.equal(choice(device, of), 'sequential', JSON.stringify(of));
            }
          }
        }
      }
    }
  });

  it('is the stream batch for a user alone on a device where four rows cost little more than one', () => {
    for (const steps of [2, 3, 4])
      assert.equal(choice(onGpu, { steps, pictureMs: 2 }), 'stream', `${steps} steps`);
    assert.equal(choice(onGpu, { steps: 1 }), 'sequential', 'with one step there is nothing to batch');
  });

  it('is sequential where encoding and decoding take most of the time', () => {
    assert.equal(choice(onGpu), 'stream');
    assert.equal(choice(onGpu, { pictureMs: 12 }), 'sequential');
  });

  it('is sequential for many users, whose rows fill the calls anyway', () => {
    assert.equal(choice(onGpu, { users: 1 }), 'stream');
    for (const users of [4, 8, 32]) {
      for (const current of ['stream', 'sequential'] as const) {
        assert.equal(choice(onGpu, { users, current }), 'sequential', `${users} users`);
      }
    }
  });

  it('counts the negative rows, which fill calls too', () => {
    const flatToEight = { costs: curve(10, 10.2, 10.5, 11), pictureMs: 1 };
    assert.equal(choice(flatToEight, { rowsPerStep: 2 }), 'stream');
    assert.equal(choice(onGpu, { rowsPerStep: 2 }), 'sequential');
  });

  it('needs a gain in frames above the loss in latency, by a tenth to begin', () => {
    // Two steps: the gain is 20 over the time of two rows, and its border the root of 2: 14.14 ms.
    const device = (ms: number): Pick<DenoiseCase, 'costs' | 'pictureMs'> => ({
      costs: curve(10, ms),
      pictureMs: 0,
    });
    for (const [ms, from, wanted] of [
      [12.8, 'sequential', 'stream'],
      [12.9, 'sequential', 'sequential'],
      [14.1, 'stream', 'stream'],
      [14.2, 'stream', 'sequential'],
    ] as const) {
      assert.equal(choice(device(ms), { steps: 2, current: from }), wanted, `${ms} ms, from ${from}`);
    }
  });

  it('does not flip with the noise of measurements at the border', () => {
    const noise = [0, 0.04, -0.04, 0.03, -0.02, 0.04, -0.04];
    const border = noise.map((share) => ({ costs: curve(10, 13.5 * (1 + share)), pictureMs: 0 }));
    assert.deepEqual(new Set(choices(border, { steps: 2 })), new Set(['sequential']));
    const clear = { costs: curve(10, 11), pictureMs: 0 };
    assert.deepEqual(new Set(choices([clear, ...border], { steps: 2 })), new Set(['stream']));
    const real = noise.map((share) => {
      return { costs: curve(4.67, 6.12 * (1 + share), 9.45, 16.02), pictureMs: small.pictureMs };
    });
    for (const steps of [2, 3, 4]) assert.equal(new Set(choices(real, { steps })).size, 1, `${steps} steps`);
  });
});

describe('auto, for files', () => {
  it('weighs frames alone: the stream batch if it gives a tenth more', () => {
    assert.equal(choice(small, { isLive: true }), 'sequential');
    assert.equal(choice(small, { isLive: false }), 'stream');
    assert.equal(choice(onProcessor, { steps: 2, isLive: false }), 'stream', '12% more');
    const linear = { costs: curve(10, 20, 40, 80), pictureMs: 0 };
    assert.equal(choice(linear, { isLive: false }), 'sequential');
    assert.equal(choice(linear, { isLive: false, current: 'stream' }), 'sequential');
  });
});
