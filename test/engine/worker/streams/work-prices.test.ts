import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ExpectedCosts } from '../../../../src/engine/costs.js';
import { WorkPrices } from '../../../../src/engine/worker/streams/work-prices.js';

const usual = [4, 32, 32] as const;
const large = [4, 64, 64] as const;

/** Calls of four rows are the best: 10 ms a row; a picture takes 5 ms. */
function prices(): WorkPrices {
  const costs = [1, 2, 4, 8].map((rows) => ({ rows, ms: rows === 1 ? 20 : 10 * rows }));
  return new WorkPrices(new ExpectedCosts({ costs, pictureMs: 5 }, usual), { rowBudget: 4, usual });
}

const near = (value: number, wanted: number): void =>
  assert.ok(Math.abs(value / wanted - 1) < 0.02, `${value} instead of ${wanted}`);

describe('WorkPrices', () => {
  it('begins with the costs that calibration expects, by area', () => {
    const own = prices();
    near(own.row('usual', usual), 1);
    near(own.row('large', large), 4);
    near(own.picture(usual), 0.5);
    near(own.picture(large), 2);
    near(own.unitsOf(30), 3);
  });

  it('begins with the costs of the steered U-Net for rows that take it', () => {
    const costs = [{ rows: 1, ms: 10 }];
    const steered = { ratio: 1.2, controlRatio: 0.3, bankRatio: 0.1, featuresMs: 1 };
    const use = { controls: 1, bankFrames: 1 };
    const expected = new ExpectedCosts({ costs, pictureMs: 5, steered }, usual);
    const own = new WorkPrices(expected, { rowBudget: 1, usual });
    near(own.row('steered', usual, use), 1.6);
    near(own.row('plain', usual), 1);
    for (let call = 0; call < 60; call++) {
      own.observeCall('steered', usual, { rows: 1, ms: 1000, use });
    }
    near(own.row('steered', usual, use), 4 * 1.6);
    assert.equal(expected.call(2, large, { controls: 2, bankFrames: 0 }), 1.8 * expected.call(2, large));
  });

  it('follows the measurements, separately for each kind of rows and each size of picture', () => {
    const own = prices();
    for (let call = 0; call < 60; call++) {
      own.observeCall('large', large, { rows: 2, ms: 120 });
      own.observePicture(large, 30);
    }
    near(own.row('large', large), 6);
    near(own.picture(large), 3);
    near(own.row('other', large), 4);
    near(own.row('usual', usual), 1);
    near(own.picture(usual), 0.5);
  });

  it('moves an eighth of the way at a time, to between a quarter and four times what is expected', () => {
    const own = prices();
    own.observeCall('usual', usual, { rows: 2, ms: 52 });
    assert.equal(own.row('usual', usual), 1.2);
    own.observePicture(usual, 21);
    assert.equal(own.picture(usual), 0.6875, '20 ms');
    own.observePicture(large, 1);
    assert.equal(own.picture(large), 2 - 1.5 / 8, '5 ms');
  });

  it('follow those of a preprocessor from the price of a picture, a bounded step at a time', () => {
    const own = prices();
    assert.equal(own.preprocessed('depth', usual), own.picture(usual));
    own.observePreprocessed('depth', usual, 60_000);
    near(own.preprocessed('depth', usual), own.picture(usual) * (1 + 3 / 8));
    for (let call = 0; call < 100; call++) own.observePreprocessed('depth', usual, 600);
    near(own.preprocessed('depth', usual), own.unitsOf(600));
    near(own.preprocessed('lines', usual), own.picture(usual));
  });

  it('remembers the 512 kinds that were used last', () => {
    const own = prices();
    const observe = (kind: string): void => own.observeCall(kind, usual, { rows: 1, ms: 40 });
    const known = (kind: string): boolean => own.row(kind, usual) > 1;
    for (let kind = 0; kind < 512; kind++) observe(`kind ${kind}`);
    observe('kind 0');
    assert.ok(known('kind 0') && known('kind 1'));
    observe('one more');
    assert.deepEqual(['kind 0', 'kind 1', 'kind 2', 'one more'].map(known), [true, false, true, true]);
  });

  it('does not treat a stall as a price', () => {
    const own = prices();
    own.observeCall('usual', usual, { rows: 1, ms: 60_000 });
    assert.ok(own.row('usual', usual) < 1.5);
    for (let call = 0; call < 100; call++) own.observeCall('usual', usual, { rows: 4, ms: 0 });
    near(own.row('usual', usual), 0.25);
  });

  it('forgets kinds when there are too many', () => {
    const own = prices();
    own.observeCall('first', usual, { rows: 1, ms: 40 });
    for (let kind = 0; kind < 600; kind++) own.observeCall(`kind ${kind}`, usual, { rows: 1, ms: 40 });
    near(own.row('first', usual), 1);
    assert.ok(own.row('kind 599', usual) > 1.3);
  });
});
