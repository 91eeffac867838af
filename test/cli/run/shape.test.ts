import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { shapeOf, type SideSchema } from '../../../src/cli/run/shape.js';

const side: SideSchema = { default: 256, minimum: 64, maximum: 1024, multipleOf: 8 };

describe('shapeOf', () => {
  it('keeps the shape of the input and about the number of pixels of the model', () => {
    for (const [width, height] of [
      [1920, 1080],
      [384, 288],
      [1080, 1920],
      [100, 100],
      [1000, 420],
    ] as const) {
      const shape = shapeOf({ width, height }, side, side);
      assert.equal(shape.width % 8, 0);
      assert.equal(shape.height % 8, 0);
      assert.ok(
        Math.abs(Math.log(shape.width / shape.height / (width / height))) < 0.03,
        JSON.stringify(shape),
      );
      assert.ok(Math.abs(Math.log((shape.width * shape.height) / 256 ** 2)) < 0.1, JSON.stringify(shape));
    }
    assert.deepEqual(shapeOf({ width: 512, height: 512 }, side, side), { width: 256, height: 256 });
  });

  it('stays within the allowed sides, however thin the input is', () => {
    const { width, height } = shapeOf({ width: 6400, height: 10 }, side, side);
    assert.deepEqual([width, height], [1024, 64]);
    assert.deepEqual(shapeOf({ width: 10, height: 6400 }, side, side), { width: 64, height: 1024 });
  });

  it('is the size of a model that has only one', () => {
    const fixed = { ...side, default: 512, enum: [512], minimum: 512, maximum: 512 };
    assert.deepEqual(shapeOf({ width: 1920, height: 1080 }, fixed, fixed), { width: 512, height: 512 });
  });
});
