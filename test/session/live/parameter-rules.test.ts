import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parameterSchemas } from '@millrace/protocol';
import { ParameterError } from '../../../src/engine/engine.js';
import { createParameterRules } from '../../../src/session/live/parameter-rules.js';

const steered = createParameterRules({
  controls: [
    { name: 'canny', preprocessors: ['lines'], preprocessor: 'canny' },
    { name: 'depth', preprocessors: [], preprocessor: null },
  ],
});

const rules = createParameterRules({ defaults: { prompt: 'blueprint', width: 256 }, sizeFactor: 32 });

const refused: readonly (readonly [update: unknown, field: string, message: RegExp])[] = [
  [{ strength: 1.5 }, 'strength', /^strength must be a number from 0 to 1, not 1\.5$/],
  [{ strength: Number.NaN }, 'strength', /a number from 0 to 1, not NaN$/],
  [{ delta: Number.NEGATIVE_INFINITY }, 'delta', /not -Infinity$/],
  [{ guidance_scale: '1' }, 'guidance_scale', /a number from 0 to 20, not "1"$/],
  [{ steps: 2.5 }, 'steps', /an integer from 1 to 10, not 2\.5$/],
  [{ steps: null }, 'steps', /an integer from 1 to 10, not null$/],
  [{ width: 264 }, 'width', /an integer from 64 to 1024 that is a multiple of 32, not 264$/],
  [{ cfg_type: 'both' }, 'cfg_type', /one of "none", "full", "self", "initialize", not "both"$/],
  [{ paused: 1 }, 'paused', /true or false, not 1$/],
  [{ prompt: 7 }, 'prompt', /a string of at most 2000 characters, or a list of 1 to 8 items/],
  [{ prompt: [] }, 'prompt', /not \[\]$/],
  [{ prompt: [{ text: 'a' }] }, 'prompt', /text: a string .*, weight: a number from 0 to 1000/],
  [{ prompt: [{ text: 'a', weight: Number.NaN }] }, 'prompt', /^prompt must be/],
  [{ negative_prompt: new Uint8Array(4) }, 'negative_prompt', /not binary data$/],
  // As JSON, each byte would be a property: a message of 8 MB would stop the server for seconds.
  [
    { prompt: [{ text: new Uint8Array(8), weight: 1 }] },
    'prompt',
    /not \[{"text":"binary data","weight":1}\]$/,
  ],
  [{ t_index_list: [1, 1000] }, 't_index_list', /integer from 0 to 999/],
  [{ seed: -1 }, 'seed', /an integer from 0 to 4294967295/],
  [{ speed: 3 }, 'speed', /^unknown parameter "speed"$/],
  [{ constructor: 3 }, 'constructor', /^unknown parameter/],
  [[], 'parameters', /must be a map/],
  [null, 'parameters', /must be a map/],
  [new Uint8Array(8), 'parameters', /must be a map/],
  ['strength', 'parameters', /must be a map/],
];

describe('createParameterRules', () => {
  it('refuses a value that nests deeper than the stack', () => {
    let prompt: unknown = 1;
    for (let depth = 0; depth < 50_000; depth++) prompt = [prompt];
    assert.throws(() => rules.check({ prompt }), { field: 'prompt', message: /not \[{4}"\.\.\."\]{4}$/ });
  });

  it('prefers the defaults of the model to the general ones', () => {
    assert.equal(rules.defaults.prompt, 'blueprint');
    assert.equal(rules.defaults.width, 256);
    assert.equal(rules.defaults.cfg_type, 'none');
    assert.deepEqual(rules.check(rules.defaults), rules.defaults);
  });

  it('has every parameter in its schema', () => {
    assert.ok('properties' in rules.schema);
    assert.deepEqual(
      Object.keys(rules.schema.properties as object).sort(),
      Object.keys(parameterSchemas).sort(),
    );
  });

  it('accepts values at the ends of their ranges', () => {
    const update = {
      strength: 0,
      steps: 10,
      width: 64,
      height: 1024,
      seed: 4294967295,
      t_index_list: [0, 49],
    };
    assert.deepEqual(rules.check(update), update);
    assert.deepEqual(rules.check({ prompt: 'x'.repeat(2000) }), { prompt: 'x'.repeat(2000) });
    assert.deepEqual(rules.check({ t_index_list: null }), { t_index_list: null });
  });

  for (const [update, field, message] of refused) {
    it(`says what is wrong with ${JSON.stringify(update)}`, () => {
      assert.throws(
        () => rules.check(update),
        (error: unknown) => {
          assert.ok(error instanceof ParameterError);
          assert.equal(error.field, field);
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }

  it('offers only what the model can do: the one size of its export, no external guidance', () => {
    const fixedSize = { width: 1536, height: 512 };
    const fixed = createParameterRules({ defaults: fixedSize, sizeFactor: 64, fixedSize, selfGuided: true });
    const update = { ...fixedSize, cfg_type: 'none' };
    assert.deepEqual(fixed.check(update), update);
    assert.throws(() => fixed.check({ width: 512 }), /^ParameterError: width must be 1536, not 512$/);
    assert.throws(() => fixed.check({ cfg_type: 'full' }), /cfg_type must be "none", not "full"$/);
  });

  it('does not repeat a huge value or name', () => {
    for (const update of [{ prompt: 'x'.repeat(1_000_000) }, { ['x'.repeat(1_000_000)]: 1 }]) {
      assert.throws(
        () => rules.check(update),
        (error: unknown) => error instanceof ParameterError && error.message.length < 500,
      );
    }
  });
});

describe('rules for controls', () => {
  it('accept those of the model with their settings, at the ends of their ranges', () => {
    for (const controls of [
      {},
      { depth: { scale: 0 } },
      { canny: { scale: 2, start: 0, end: 1, preprocessor: 'soft_edge' }, depth: { scale: 1e-9 } },
      { canny: { scale: 1, start: 0.5, end: 0.5 } },
      { canny: { scale: 1, start: 1 }, depth: { scale: 1, end: 0 } },
    ]) {
      assert.deepEqual(steered.check({ controls }), { controls });
    }
    assert.deepEqual(
      steered.controls.map(({ name }) => name),
      ['canny', 'depth'],
    );
    assert.deepEqual(steered.defaults.controls, {});
  });

  it('accept none for a model without controls', () => {
    assert.deepEqual(rules.check({ controls: {} }), { controls: {} });
    assert.deepEqual(rules.controls, []);
    assert.throws(() => rules.check({ controls: { depth: { scale: 1 } } }), {
      field: 'controls',
      message: 'controls has no "depth": with this model it has none',
    });
  });

  const built = '"canny", "soft_edge", "passthrough", "feedback"';
  const settings =
    '{ scale: a number from 0 to 2, start: a number from 0 to 1, end: a number from 0 to 1, ' +
    `preprocessor: one of ${built} }`;
  for (const [controls, message] of [
    [{ pose: { scale: 1 } }, 'controls has no "pose": with this model it has canny, depth'],
    [{ constructor: { scale: 1 } }, 'controls has no "constructor": with this model it has canny, depth'],
    [{ depth: { scale: 2.5 } }, 'controls.depth.scale must be a number from 0 to 2, not 2.5'],
    [{ depth: { scale: Number.NaN } }, 'controls.depth.scale must be a number from 0 to 2, not NaN'],
    [{ depth: { scale: '1' } }, 'controls.depth.scale must be a number from 0 to 2, not "1"'],
    [{ depth: { scale: 1, end: -0.1 } }, 'controls.depth.end must be a number from 0 to 1, not -0.1'],
    [{ depth: {} }, 'controls.depth.scale must be a number from 0 to 2, but it is missing'],
    [{ depth: 1 }, `controls.depth must be ${settings}, not 1`],
    [
      { depth: { scale: 1, size: 2 } },
      'controls.depth has no "size": with this model it has scale, start, end, preprocessor',
    ],
    [
      { depth: { scale: 1, preprocessor: 'lines' } },
      `controls.depth.preprocessor must be one of ${built}, not "lines"`,
    ],
    [
      { canny: { scale: 1, preprocessor: 'depth' } },
      `controls.canny.preprocessor must be one of ${built}, "lines", not "depth"`,
    ],
    [
      { canny: { scale: 1 }, depth: { scale: 1, start: 0.7, end: 0.2 } },
      'controls.depth.start must not be above its end, but 0.7 is above 0.2',
    ],
    [
      { depth: { scale: 1, start: 0.1, end: 0 } },
      'controls.depth.start must not be above its end, but 0.1 is above 0',
    ],
    [Buffer.from('abc'), 'controls must be a map of settings by control, not binary data'],
    [Buffer.alloc(0), 'controls must be a map of settings by control, not binary data'],
    [new Uint8Array(0), 'controls must be a map of settings by control, not binary data'],
  ] as const) {
    it(`say what is wrong with ${JSON.stringify(controls)}: ${message.slice(0, 40)}`, () => {
      assert.throws(() => steered.check({ controls }), { field: 'controls', message });
    });
  }

  it('refuse what is no map', () => {
    for (const controls of [null, [], 'canny', 1]) {
      assert.throws(() => steered.check({ controls }), {
        field: 'controls',
        message: /^controls must be \{ canny: \{ scale: .*, depth: \{ scale: .* not /,
      });
    }
  });
});
