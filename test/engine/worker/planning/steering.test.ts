import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultParameters, type StreamParameters } from '@millrace/protocol';
import { createPlan } from '../../../../src/engine/worker/planning/plan.js';
import {
  checkGuidance,
  checkSteering,
  controlScales,
} from '../../../../src/engine/worker/planning/steering.js';
import { readModelFolder } from '../../../../src/model/folder.js';
import { tinyModel } from '../../../support/engine.js';
import { steeredFolder } from '../../../support/steered-folder.js';

const plain = await readModelFolder(tinyModel);
const folder = steeredFolder(plain);
const { controls } = folder.layout.steered!;

function parametersWith(changes: Partial<StreamParameters>): StreamParameters {
  return { ...defaultParameters(), ...changes };
}

/** Returns the scale of a control at each stage. */
function scalesOf(settings: StreamParameters['controls'][string], stages: number): readonly number[] {
  const scales = controlScales(controls, parametersWith({ controls: { depth: settings } }));
  return Array.from({ length: stages }, (_, stage) => scales?.(stage, stages)['control_1_scale'][0] ?? NaN);
}

describe('what steers a stream', () => {
  it('is refused by name if the model does not have it, with what it has', () => {
    const two = ['a', 'b'].map((text) => ({ text, weight: 1 }));
    const faults = [
      [
        plain,
        { controls: { canny: { scale: 1 } } },
        'controls',
        /"canny"; the model tiny-sd has no controls/,
      ],
      [
        folder,
        { controls: { pose: { scale: 0 } } },
        'controls',
        /"pose"; the model tiny-sd has canny, depth/,
      ],
      [
        plain,
        { solver: 'DPMSolverV3Scheduler', cfg_type: 'self' },
        'cfg_type',
        /none or full with DPMSolverV3Scheduler, not self/,
      ],
      [
        plain,
        { solver_schedule: ['DPMSolverV3Scheduler'], cfg_type: 'initialize' },
        'cfg_type',
        /none or full with DPMSolverV3Scheduler, not initialize/,
      ],
      [
        plain,
        {
          prompt_composition: 'or',
          prompt: two,
          solver_schedule: ['EulerMaruyamaScheduler', 'DDIMScheduler'],
        },
        'prompt_composition',
        /must be that, not DDIMScheduler/,
      ],
      [plain, { prompt_composition: 'and' }, 'prompt', /list of two texts .* and, not of 1/],
      [
        plain,
        { prompt_composition: 'or', prompt: two },
        'prompt_composition',
        /must be that, not LCMScheduler/,
      ],
      [
        plain,
        { prompt_composition: 'or', prompt: two, solver: 'EulerMaruyamaScheduler', cfg_type: 'initialize' },
        'cfg_type',
        /none or full for prompt_composition or, not initialize/,
      ],
      [
        plain,
        { attention_bank_frames: 2 },
        'attention_bank_frames',
        /must be 0 for the model tiny-sd.*, not 2/,
      ],
      [
        { ...folder, layout: { ...folder.layout, steered: { ...folder.layout.steered!, bank: null } } },
        { attention_bank_frames: 1 },
        'attention_bank_frames',
        /exported without an attention bank/,
      ],
      [
        plain,
        { mask_preprocessor: 'person' },
        'mask_preprocessor',
        /"person"; .* of the model tiny-sd, none make/,
      ],
      [folder, { mask_preprocessor: 'hair' }, 'mask_preprocessor', /"hair"; .*, person make masks/],
    ] as const;
    for (const [model, changes, field, message] of faults) {
      assert.throws(() => checkSteering(model, parametersWith(changes)), {
        name: 'ParameterError',
        field,
        message,
      });
    }
    checkSteering(folder, parametersWith({ controls: { canny: { scale: 1 } }, attention_bank_frames: 4 }));
    checkSteering(folder, parametersWith({ mask_preprocessor: 'person' }));
    checkSteering(plain, parametersWith({ attention_bank_interval: 3 }));
  });

  it('are scales of controls within their part of the denoising, as in diffusers', () => {
    assert.deepEqual(scalesOf({ scale: 0.5 }, 2), [0.5, 0.5]);
    assert.deepEqual(scalesOf({ scale: 1, start: 0.25, end: 0.75 }, 4), [0, 1, 1, 0]);
    assert.deepEqual(scalesOf({ scale: 1, end: 0.5 }, 3), [1, 0, 0], 'a stage that ends after it is outside');
    assert.deepEqual(
      scalesOf({ scale: 1, start: 0.5 }, 3),
      [0, 0, 1],
      'a stage that begins before it is outside',
    );
    assert.deepEqual(scalesOf({ scale: 2, start: 1 }, 1), [0]);
  });

  it('is only what is on: controls with a scale above 0, while frames bring pictures', () => {
    const both = { canny: { scale: 1 }, depth: { scale: 0 } };
    assert.deepEqual(controlScales(controls, parametersWith({ controls: both }))?.(0, 1), {
      control_0_scale: Float32Array.of(1),
    });
    assert.equal(controlScales(controls, parametersWith({ controls: { depth: { scale: 0 } } })), undefined);
    assert.equal(controlScales(controls, parametersWith({ controls: both, mode: 'txt2img' })), undefined);
  });
});

describe('residual guidance of a flow', () => {
  const model = {
    folder: {
      ...plain,
      predictionType: 'flow' as const,
      scheduler: { ...plain.scheduler, prediction_type: 'flow' },
    },
    latentShape: () => [4, 8, 8] as const,
  };
  const check = (changes: Partial<StreamParameters>, from: typeof model | null = model): void => {
    const solver = from ? 'FlowMatchEulerDiscreteScheduler' : 'DDIMScheduler';
    const parameters = parametersWith({ solver, timestep_spacing: 'trailing', ...changes });
    checkGuidance(createPlan(from ?? { ...model, folder: plain }, parameters), parameters);
  };

  it('is refused where frames start from pure noise, with what would fit', () => {
    for (const cfg_type of ['self', 'initialize'] as const) {
      assert.throws(() => check({ cfg_type, strength: 1 }), {
        name: 'ParameterError',
        field: 'cfg_type',
        message: new RegExp(`^cfg_type must be none or full .* not ${cfg_type}: .* strength below 1`),
      });
      check({ cfg_type, strength: 0.98 });
      check({ cfg_type, t_index_list: [1, 20] });
      check({ cfg_type, strength: 1 }, null);
    }
    for (const cfg_type of ['none', 'full'] as const) check({ cfg_type, strength: 1 });
  });
});
