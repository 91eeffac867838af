import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  chosenSolvers,
  defaultParameters,
  describeAllowed,
  hasEffect,
  parameterNames,
  parameterRoles,
  parameterSchemas,
  parameterSchemasFor,
  schemaAnnotations,
  solverNames,
  type ParameterName,
  type ParameterRole,
  type ParameterSchema,
} from '@millrace/protocol';
import { solversWith } from '../support/parameters.js';

/** The contract with clients of this version: defaults and allowed values. Only ranges may change: they may grow. */
const contract: Readonly<Record<string, readonly [initial: unknown, allowed: string]>> = {
  prompt: ['', 'text up to 2000 or 1 to 8 of { text: text up to 2000; weight: number 0 to 1000 }'],
  negative_prompt: ['', 'text up to 2000'],
  transition_frames: [0, 'integer 0 to 1000'],
  transition_seconds: [0, 'number 0 to 60'],
  strength: [0.4, 'number 0 to 1'],
  steps: [1, 'integer 1 to 10'],
  num_inference_steps: [50, 'integer 1 to 1000'],
  momentum_beta: [1, 'number 0.05 to 1'],
  flow_shift: [0, 'number 0 to 12'],
  bdia_gamma: [0.5, 'number 0 to 1'],
  eta: [0, 'number 0 to 1'],
  gamma: [0.3, 'number 0 to 1'],
  latent_feedback: [0, 'number 0 to 0.95'],
  pixel_feedback: [0, 'number 0 to 0.95'],
  frame_buffer_size: [1, 'integer 1 to 8'],
  guidance_scale: [1.2, 'number 0 to 20'],
  delta: [1, 'number 0 to 2'],
  seed: [
    2,
    'integer 0 to 4294967295 or 1 to 8 of { seed: integer 0 to 4294967295; weight: number 0 to 1000 }',
  ],
  noise_drift: [0.02, 'number 0 to 1'],
  attention_bank_frames: [0, 'integer 0 to 4'],
  attention_bank_interval: [1, 'integer 1 to 1440'],
  ip_adapter_scale: [1, 'number 0 to 2'],
  mask_x: [0.5, 'number 0 to 1'],
  mask_y: [0.5, 'number 0 to 1'],
  mask_width: [0.6, 'number 0 to 1'],
  mask_height: [0.6, 'number 0 to 1'],
  mask_feather: [0.05, 'number 0 to 0.5'],
  similar_image_filter_threshold: [0.98, 'number 0 to 1'],
  similar_image_filter_max_skip_frame: [10, 'integer 0 to 1000'],
  fps: [0, 'number 0 to 120'],
  width: [512, 'integer 64 to 1024 by 8'],
  height: [512, 'integer 64 to 1024 by 8'],
  quality: [85, 'integer 1 to 100'],
};

const choices = {
  prompt_blend: ['lerp', 'slerp'],
  prompt_composition: ['mix', 'and', 'or'],
  timestep_spacing: [null, 'leading', 'trailing', 'linspace'],
  solver_order: [2, 1, 3, 4],
  algorithm_type: ['dpmsolver++', 'dpmsolver', 'sde-dpmsolver', 'sde-dpmsolver++'],
  use_karras_sigmas: [false],
  use_corrector: [true],
  do_add_noise: [true],
  denoise: ['auto', 'stream', 'sequential'],
  cfg_type: ['none', 'full', 'self', 'initialize'],
  noise: ['fixed', 'drift', 'move'],
  ip_adapter_weight_type: [
    'linear',
    'ease_in',
    'ease_out',
    'style_transfer',
    'composition',
    'style_and_composition',
  ],
  noise_by_time: [false],
  mask: ['none', 'ellipse', 'rectangle'],
  mask_preprocessor: ['none'],
  mask_invert: [false],
  control_previews: [false],
  similar_image_filter: [false],
  mode: ['img2img', 'txt2img'],
  fit: ['cover', 'contain', 'stretch'],
  paused: [false],
} as const;

/** The parts of JSON Schema that define ranges. */
interface Range {
  readonly anyOf?: readonly Range[];
  readonly type?: unknown;
  readonly items?: Range;
  readonly properties?: Readonly<Record<string, Range>>;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly multipleOf?: number;
  readonly maxLength?: number;
}

function allowed(schema: Range): string {
  if (schema.anyOf) return schema.anyOf.map(allowed).join(' or ');
  const { type, items, properties = {}, minimum, maximum, multipleOf, maxLength } = schema;
  if (items) return `${schema.minItems} to ${schema.maxItems} of ${allowed(items)}`;
  if (type === 'string') return `text up to ${maxLength}`;
  const by = multipleOf ? ` by ${multipleOf}` : '';
  if (type !== 'object') return `${String(type)} ${minimum} to ${maximum}${by}`;
  const fields = Object.entries(properties).map(([name, field]) => `${name}: ${allowed(field)}`);
  return `{ ${fields.join('; ')} }`;
}

describe('the parameters', () => {
  for (const [name, expected] of Object.entries(contract)) {
    it(`have a ${name} as promised`, () => {
      const schema = parameterSchemas[name as keyof typeof parameterSchemas];
      assert.deepEqual([schema.default, allowed(schema as Range)], expected);
    });
  }

  for (const [name, [initial, ...others]] of Object.entries(choices)) {
    it(`have a choice of ${name} as promised`, () => {
      const schema: ParameterSchema = parameterSchemas[name as keyof typeof parameterSchemas];
      assert.equal(schema.default, initial);
      if (typeof initial === 'boolean') assert.equal(schema.type, 'boolean');
      else assert.deepEqual(new Set(schema.enum), new Set([initial, ...others]));
    });
  }

  it('have a list of positions, or none', () => {
    const { default: initial, type, items, minItems, maxItems } = parameterSchemas.t_index_list;
    assert.deepEqual([initial, type, minItems], [null, ['array', 'null'], 1]);
    assert.ok(maxItems !== undefined && maxItems >= 10);
    assert.deepEqual(items, { type: 'integer', minimum: 0, maximum: 999 });
  });

  it('have LCM as the solver, or another', () => {
    assert.equal(parameterSchemas.solver.default, 'LCMScheduler');
    assert.deepEqual(parameterSchemas.solver.enum, solverNames);
  });

  it('have a list of solvers, or none, with which the one for all steps has no effect', () => {
    const { default: initial, type, items, minItems, maxItems } = parameterSchemas.solver_schedule;
    assert.deepEqual([initial, type, minItems], [null, ['array', 'null'], 1]);
    assert.equal(maxItems, parameterSchemas.t_index_list.maxItems);
    assert.deepEqual(items, { type: 'string', enum: solverNames });
    const solver_schedule = ['DDIMScheduler', 'UniPCMultistepScheduler'] as const;
    const effective = (values: object): readonly ParameterName[] =>
      (['solver', 'eta', 'solver_order', 'bdia_gamma', 'do_add_noise'] as const).filter((name) =>
        hasEffect(parameterSchemas[name], { ...defaultParameters(), ...values }),
      );
    assert.deepEqual(effective({ solver_schedule }), ['eta', 'solver_order']);
    assert.deepEqual(effective({ solver_schedule: null }), ['solver', 'do_add_noise']);
    const chosen = { solver: 'BDIAScheduler', solver_schedule } as const;
    assert.deepEqual(chosenSolvers(chosen), solver_schedule);
    assert.deepEqual(chosenSolvers({ ...chosen, solver_schedule: null }), ['BDIAScheduler']);
  });

  it('list the solvers that honour them, or those that do not', () => {
    const listed = Object.entries(parameterSchemas).flatMap(([name, { description }]) => {
      const words = new Set(description.match(/\w+/g));
      const named = solverNames.filter((solver) => words.has(solver.replace('Scheduler', '')));
      const isExcepted = description.endsWith('ignore it.');
      const honouring = isExcepted ? solverNames.filter((solver) => !named.includes(solver)) : named;
      return named.length > 0 ? [[name, honouring]] : [];
    });
    assert.deepEqual(Object.fromEntries(listed), solversWith);
    assert.match(
      parameterSchemas.use_karras_sigmas.description,
      /\(EulerDiscrete, .* UniPCMultistep, GHVB, PLMSWithHB, PLMSWithNT, FlowMatchEulerDiscrete and EulerMaruyama\)\.$/,
    );
  });

  it('apply as promised', () => {
    const applying = (role: ParameterRole): readonly ParameterName[] =>
      parameterNames.filter((name) => parameterSchemas[name]['x-applies'].includes(role));
    const filter = ['', '_threshold', '_max_skip_frame'].map((part) => `similar_image_filter${part}`);
    const mask = ['', '_preprocessor', '_x', '_y', '_width', '_height', '_invert', '_feather'].map(
      (part) => `mask${part}`,
    );
    const bankInterval = 'attention_bank_interval';
    const guidance = ['cfg_type', 'guidance_scale', 'delta'];
    const expected = {
      steering: [
        'prompt',
        'negative_prompt',
        'prompt_blend',
        'prompt_composition',
        ...guidance,
        'style_image',
        'ip_adapter_scale',
        'ip_adapter_weight_type',
        'controls',
        'attention_bank_frames',
      ],
      transition: ['transition_frames', 'transition_seconds'],
      entry: [
        'latent_feedback',
        'pixel_feedback',
        'denoise',
        'frame_buffer_size',
        ...mask,
        bankInterval,
        ...filter,
      ],
      input: ['controls', 'width', 'height', 'fit'],
      output: ['control_previews', 'quality'],
      flow: ['mode', 'fps', 'paused'],
    } as const;
    for (const [role, names] of Object.entries(expected)) {
      assert.deepEqual(applying(role as ParameterRole), names);
    }
    assert.deepEqual(Object.keys(parameterRoles).sort(), [...Object.keys(expected), 'plan'].sort());
    const others = parameterNames.filter((name) => !Object.values(expected).flat().includes(name));
    assert.deepEqual(applying('plan'), [...others, 'width', 'height']);
    const live = parameterNames.filter((name) => parameterSchemas[name]['x-live']);
    assert.deepEqual(live, [...expected.transition, 'control_previews', ...expected.flow]);
  });

  it('depend only on parameters that exist, and on values that these can have', () => {
    for (const name of parameterNames) {
      for (const [other, values] of Object.entries(parameterSchemas[name]['x-when'] ?? {})) {
        const schema: ParameterSchema = parameterSchemas[other as keyof typeof parameterSchemas];
        const possible: readonly unknown[] =
          schema.enum ?? (schema.type === 'boolean' ? [true, false] : [null]);
        assert.ok(values.length > 0);
        for (const value of values) assert.ok(possible.includes(value), `${name}: ${other}`);
        if (values[0] === null) assert.ok(schema.type?.includes('null'), `${name}: ${other}`);
      }
    }
  });

  it('have an effect if each parameter that they depend on has one of the values listed', () => {
    const when = { noise: ['drift'], mode: ['img2img', 'txt2img'] };
    const effective = (values: object): boolean => hasEffect({ 'x-when': when }, { ...values });
    assert.equal(effective({ noise: 'drift', mode: 'txt2img' }), true);
    assert.equal(effective({ noise: 'fixed', mode: 'txt2img' }), false);
    assert.equal(effective({ noise: 'drift' }), false);
    assert.equal(hasEffect({}, {}), true);
  });

  it('have no annotations but those for validators, all of which are ignored', () => {
    // Only models have useful ranges.
    const schemas = parameterSchemasFor({ useful: { strength: [0.2, 0.8] } });
    const used = Object.values(schemas).flatMap((schema) =>
      Object.keys(schema).filter((key) => key.startsWith('x-')),
    );
    assert.deepEqual(new Set(used), new Set(schemaAnnotations));
  });

  it('say what they allow in words', () => {
    assert.equal(describeAllowed(parameterSchemas.noise_drift), 'a number from 0 to 1');
    assert.equal(describeAllowed(parameterSchemas.mode), 'one of "img2img", "txt2img"');
    assert.equal(
      describeAllowed(parameterSchemas.t_index_list),
      'a list of 1 to 50 items, each an integer from 0 to 999 or null',
    );
  });

  it('of guidance have an effect with its types, and the scale alone if the model guides itself', () => {
    const effective = (cfg_type: string, properties: typeof parameterSchemas): readonly string[] =>
      (['negative_prompt', 'guidance_scale', 'delta'] as const).filter((name) =>
        hasEffect(properties[name], { ...defaultParameters(), cfg_type }),
      );
    assert.deepEqual(effective('none', parameterSchemas), []);
    assert.deepEqual(effective('full', parameterSchemas), ['negative_prompt', 'guidance_scale']);
    assert.deepEqual(effective('self', parameterSchemas), ['guidance_scale', 'delta']);
    assert.deepEqual(effective('initialize', parameterSchemas).length, 3);
    assert.deepEqual(effective('none', parameterSchemasFor({ selfGuided: true })), ['guidance_scale']);
  });

  it('are exactly these, with their defaults', () => {
    const further = ['solver', 'solver_schedule', 't_index_list', 'controls', 'style_image'];
    const names = [...Object.keys(contract), ...Object.keys(choices), ...further].sort();
    assert.deepEqual(Object.keys(parameterSchemas).sort(), names);
    assert.deepEqual(Object.keys(defaultParameters()).sort(), names);
    assert.equal(defaultParameters().strength, 0.4);
    assert.equal(defaultParameters({ defaults: { strength: 0.7 } }).strength, 0.7);
  });
});
