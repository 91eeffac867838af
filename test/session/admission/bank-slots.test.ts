import assert from 'node:assert/strict';
import { it } from 'node:test';
import { defaultParameters, type StreamParameters } from '@millrace/protocol';
import { Capacity } from '../../../src/session/admission/capacity.js';

/** Returns the slots where the banks of all sessions may have 1000 bytes, and a row keeps 100 of a frame. */
function slotsWith(
  changes: Partial<StreamParameters>,
  present: readonly Partial<StreamParameters>[] = [],
): number {
  const parameters = { ...defaultParameters(), t_index_list: [32], ...changes };
  const capacity = new Capacity({
    slo: { fps: 1, latencySeconds: 0 },
    most: 32,
    maxCallMs: 0,
    parameters,
    present: () => present.map((own) => ({ ...parameters, ...own })),
  });
  capacity.calibrated({
    device: 'cpu',
    calibration: { at: new Date(0), isKept: false },
    costs: [1, 2, 4, 8].map((rows) => ({ rows, ms: 10 * rows })),
    rowBudget: 4,
    pictureMs: 15,
    bank: { limit: 1000, rowBytes: 100 },
  });
  return capacity.slots;
}

it('the memory of attention banks limits the slots if new sessions have a bank; those present keep theirs', () => {
  const bank = { attention_bank_frames: 2 };
  const { width, height } = defaultParameters();
  const large = { width: 2 * width, height: 2 * height };
  assert.equal(slotsWith({}), 32);
  assert.equal(slotsWith({}, [{ attention_bank_frames: 4 }]), 32);
  assert.equal(slotsWith(bank), 5);
  assert.equal(
    slotsWith({ ...bank, cfg_type: 'full', guidance_scale: 2 }),
    2,
    'negative rows have banks too',
  );
  assert.equal(slotsWith(bank, [{}, {}]), 5);
  assert.equal(slotsWith(bank, [{ attention_bank_frames: 0 }]), 6);
  assert.equal(slotsWith(bank, [large]), 1 + 1, 'four times as much');
  assert.equal(slotsWith(bank, [{ ...large, attention_bank_frames: 4 }]), 1);
});
