import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  canHaveEffect,
  defaultParameters,
  describeAllowed,
  differIn,
  hasEffect,
  parameterSchemas,
  parameterSchemasFor,
  styleImageBytes,
} from '@millrace/protocol';

const names = ['style_image', 'ip_adapter_scale', 'ip_adapter_weight_type'] as const;

describe('the parameters of a style image', () => {
  it('have none at first, and take a file: base64 in JSON', () => {
    const { default: initial, type, contentEncoding, maxLength } = parameterSchemas.style_image;
    assert.deepEqual([initial, type, contentEncoding], [null, ['string', 'null'], 'base64']);
    assert.equal(maxLength, Buffer.alloc(styleImageBytes).toString('base64').length);
    assert.equal(
      describeAllowed(parameterSchemas.style_image),
      'an image file (binary, or in JSON base64), or null',
    );
  });

  it('can have an effect only if the model has an image encoder', () => {
    const [without, with224] = [parameterSchemasFor({}), parameterSchemasFor({ styleImageSide: 224 })];
    for (const name of names) {
      assert.equal(canHaveEffect(without[name]), false, name);
      assert.equal(hasEffect(without[name], defaultParameters()), false, name);
      assert.deepEqual(with224[name], parameterSchemas[name]);
      assert.equal(canHaveEffect(with224[name]), true, name);
    }
    assert.deepEqual([without.style_image.enum, with224.style_image.enum], [[null], undefined]);
    assert.equal(canHaveEffect(without.delta), true, 'it has one with another guidance');
  });

  it('differ if the files do', () => {
    const of = (style_image: Uint8Array | string | null): ReturnType<typeof defaultParameters> => ({
      ...defaultParameters(),
      style_image,
    });
    const file = Uint8Array.of(1, 2, 3);
    assert.equal(differIn('steering', of(file), of(file.slice())), false);
    for (const other of [null, Uint8Array.of(1, 2, 4), Uint8Array.of(1, 2), 'sha256:00']) {
      assert.equal(differIn('steering', of(file), of(other)), true);
    }
    assert.equal(differIn('plan', of(file), of(null)), false);
  });
});
