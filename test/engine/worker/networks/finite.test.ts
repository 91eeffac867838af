import assert from 'node:assert/strict';
import { it } from 'node:test';
import { allFinite, NotFiniteError, requireFinite } from '../../../../src/engine/worker/networks/finite.js';

it('values are finite if each of them is, however large', () => {
  assert.equal(allFinite(new Float32Array(0)), true);
  const great = new Float32Array(1000).fill(3.4e38);
  assert.equal(allFinite(great), true);
  for (const value of [NaN, Infinity, -Infinity]) {
    // Several values are added at a time: all places of several lengths.
    for (let length = 1; length <= 9; length++) {
      for (let place = 0; place < length; place++) {
        const values = new Float32Array(length).fill(1);
        assert.equal(allFinite(values), true, `${length} values`);
        values[place] = value;
        assert.equal(allFinite(values), false, `${value} at ${place} of ${length}`);
      }
    }
  }
  for (const place of [1, 4]) {
    const values = new Float32Array(5);
    values[0] = Infinity;
    values[place] = -Infinity;
    assert.equal(allFinite(values), false, 'they do not cancel out');
  }
});

it('the part that computes other values is named, with advice', () => {
  const again =
    'export it again in float32 (without --fp16), or download it again if it is in float32 already';
  const vae =
    'export the model again with its VAE in float32 (without --fp16), or with a VAE that was made for float16: ' +
    '--vae madebyollin/sdxl-vae-fp16-fix for SDXL, --vae taesd for others';
  for (const [part, name, cure] of [
    ['text_encoder', 'text encoder', again],
    ['vae_encoder', 'VAE encoder', vae],
    ['unet', 'U-Net', again],
    ['vae_decoder', 'VAE decoder', vae],
  ] as const) {
    requireFinite(part, Float32Array.of(1, -2));
    assert.throws(
      () => requireFinite(part, Float32Array.of(1, NaN)),
      (error) => {
        assert.ok(error instanceof NotFiniteError);
        assert.equal(error.name, 'NotFiniteError');
        assert.equal(error.part, part);
        assert.equal(error.message, `the ${name} computes NaN or infinite values; ${cure}`);
        return true;
      },
    );
  }
});
