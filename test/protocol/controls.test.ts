import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeAllowed, hasEffect, parameterSchemas, parameterSchemasFor } from '@millrace/protocol';

describe('the parameters', () => {
  it('have no control, unless the model has some', () => {
    const { default: initial, type, properties, additionalProperties } = parameterSchemas.controls;
    assert.deepEqual([initial, type, properties, additionalProperties], [{}, 'object', {}, false]);
    assert.deepEqual(parameterSchemasFor({}).controls, parameterSchemas.controls);
    assert.equal(describeAllowed(parameterSchemas.controls), '{}');
  });

  it('have the preprocessors of the model that make masks, whose edges can be changed', () => {
    assert.equal(describeAllowed(parameterSchemas.mask_preprocessor), '"none"');
    const { mask_preprocessor: own, mask_feather: feather } = parameterSchemasFor({
      maskPreprocessors: ['person'],
    });
    assert.equal(describeAllowed(own), 'one of "none", "person"');
    assert.ok(hasEffect(feather, { mode: 'img2img', mask: 'none' }));
  });

  it('have the controls of the model, with what each offers', () => {
    const { controls } = parameterSchemasFor({
      controls: [
        { name: 'canny', preprocessors: ['canny', 'passthrough'], preprocessor: 'canny' },
        { name: 'pose-2', preprocessors: ['pose'], preprocessor: null },
        { name: 'depth', preprocessors: [], preprocessor: null },
      ],
    });
    assert.deepEqual(Object.keys(controls.properties ?? {}), ['canny', 'pose-2', 'depth']);
    const range = 'a number from 0 to';
    const common = `{ scale: ${range} 2, start: ${range} 1, end: ${range} 1`;
    assert.equal(
      describeAllowed(controls),
      `{ canny: ${common}, preprocessor: one of "canny", "passthrough" }, ` +
        `pose-2: ${common}, preprocessor: "pose" }, depth: ${common} } }`,
    );
    const { canny, 'pose-2': pose } = controls.properties ?? {};
    const defaults = [canny, pose].map(({ properties = {} }) =>
      Object.entries(properties).flatMap(([name, { default: usual }]) =>
        usual === undefined ? [] : [[name, usual]],
      ),
    );
    const [scale, start, end] = [
      ['scale', 0],
      ['start', 0],
      ['end', 1],
    ];
    assert.deepEqual(defaults, [
      [scale, start, end, ['preprocessor', 'canny']],
      [scale, start, end],
    ]);
  });
});
