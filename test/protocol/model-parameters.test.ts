import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  canHaveEffect,
  parameterNames,
  parameterSchemasFor,
  updateSchema,
  type ModelParameters,
  type ParameterName,
  type ParameterSchema,
} from '@millrace/protocol';

describe('the parameters of a model', () => {
  it('of solvers that do not suit the model, and of a bank that it lacks, have no effect', () => {
    const possible = (model: ModelParameters): readonly ParameterName[] => {
      const schemas = parameterSchemasFor(model);
      return parameterNames.filter((name) => canHaveEffect(schemas[name]));
    };
    const banks = ['attention_bank_frames', 'attention_bank_interval'] as const;
    const solvers = ['EulerDiscreteScheduler', 'DDIMScheduler'] as const;
    const [all, few] = [possible({ hasAttentionBank: true }), possible({ solvers })];
    const gone = all.filter((name) => !few.includes(name));
    assert.deepEqual(gone, [
      'prompt_composition',
      'solver_order',
      'algorithm_type',
      'momentum_beta',
      'flow_shift',
      'use_corrector',
      'bdia_gamma',
      'gamma',
      'do_add_noise',
      ...banks,
    ]);
    const { solver, solver_schedule, eta } = parameterSchemasFor({ solvers });
    assert.deepEqual([solver.enum, eta['x-when']], [solvers, { solver: ['DDIMScheduler'] }]);
    assert.deepEqual(solver_schedule.items, { type: 'string', enum: solvers });
    assert.ok(!possible({ solvers: ['PeRFlowScheduler'] }).includes('solver_schedule'), 'there is no choice');
  });

  it('say in which range their results are good', () => {
    const { strength, delta } = parameterSchemasFor({ useful: { strength: [0.2, 0.8] } });
    assert.deepEqual([strength['x-useful'], delta['x-useful']], [[0.2, 0.8], undefined]);
  });

  it('are limited further by the model', () => {
    const schema = updateSchema({
      defaults: { strength: 0.7 },
      sizeFactor: 64,
      fixedSize: { width: 256 },
      selfGuided: true,
    });
    const { properties, additionalProperties } = schema as {
      readonly properties: Readonly<Record<string, ParameterSchema>>;
      readonly additionalProperties: boolean;
    };
    assert.equal(additionalProperties, false);
    const { width, height, cfg_type, strength } = properties;
    assert.deepEqual([width.multipleOf, width.enum, width.minimum, width.maximum], [64, [256], 256, 256]);
    assert.deepEqual(
      [height.multipleOf, height.enum, height.minimum, height.maximum],
      [64, undefined, 64, 1024],
    );
    assert.deepEqual([cfg_type.enum, strength.default, strength.multipleOf], [['none'], 0.7, undefined]);
  });
});
