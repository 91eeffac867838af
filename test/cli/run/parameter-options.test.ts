import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parameterNames, parameterSchemas } from '@millrace/protocol';
import { Command } from 'commander';
import { createRunCommand } from '../../../src/cli/run.js';
import { addParameterOptions, parametersFrom } from '../../../src/cli/run/parameter-options.js';

/** Options of `run` that set several parameters, or one in another form. */
const ownForms: Readonly<Record<string, readonly string[]>> = {
  size: ['width', 'height'],
  prompt: ['prompt', 'prompt_blend', 'prompt_composition'],
  control: ['controls'],
  // The frame rate of a video made of images, not that of a stream.
  fps: [],
};

describe('the options of run', () => {
  it('set exactly the parameters that are not for live streams only', () => {
    const names = createRunCommand().options.flatMap((option) => {
      const name = option.name().replace(/^no-/, '').replaceAll('-', '_');
      return ownForms[name] ?? (name in parameterSchemas ? [name] : []);
    });
    const offline = parameterNames.filter((name) => !parameterSchemas[name]['x-live']);
    assert.deepEqual(names.toSorted(), offline.toSorted());
  });

  it('that have a form of their own are not taken for parameters', () => {
    const options = { prompt: 'a', quality: '90', fps: '25', steps: 2, guidanceScale: 1.5, mode: 'txt2img' };
    assert.deepEqual(parametersFrom(options), { steps: 2, guidance_scale: 1.5 });
  });

  it('take the path of a style image, and the other parameters of it as they are', () => {
    const command = new Command();
    addParameterOptions(command);
    const args = [
      '--style-image',
      'a.jpg',
      '--ip-adapter-scale',
      '0.5',
      '--ip-adapter-weight-type',
      'ease_in',
    ];
    command.parse(args, { from: 'user' });
    // Flags that are on by default are given too.
    const given = Object.entries(parametersFrom(command.opts())).filter(([, value]) => value !== true);
    assert.deepEqual(Object.fromEntries(given), {
      ip_adapter_scale: 0.5,
      ip_adapter_weight_type: 'ease_in',
    });
    assert.equal(command.opts()['styleImage'], 'a.jpg');
  });

  it('are flags where a parameter is true or false', () => {
    for (const name of parameterNames) {
      const schema = parameterSchemas[name];
      if (schema.type !== 'boolean' || schema['x-live']) continue;
      const command = new Command();
      addParameterOptions(command);
      const flag = `--${schema.default === true ? 'no-' : ''}${name.replaceAll('_', '-')}`;
      command.parse([flag], { from: 'user' });
      assert.equal(parametersFrom(command.opts())[name], schema.default !== true, flag);
    }
  });

  it('take a solver for each step as names with commas, or null for one', () => {
    const valueOf = (option: string, value: string): unknown => {
      const command = new Command();
      addParameterOptions(command);
      command.parse([`--${option}`, value], { from: 'user' });
      return parametersFrom(command.opts())[option.replaceAll('-', '_')];
    };
    const names = ['DDIMScheduler', 'GHVBScheduler'];
    assert.deepEqual(valueOf('solver-schedule', names.join()), names);
    for (const option of ['solver-schedule', 't-index-list', 'timestep-spacing'])
      assert.equal(valueOf(option, 'null'), null, option);
    assert.deepEqual(valueOf('solver-schedule', ''), [''], 'which is refused');
    assert.equal(valueOf('negative-prompt', ''), '');
  });

  it('turn on a control each, with its settings', () => {
    const controlsOf = (...values: readonly string[]): unknown => {
      const command = new Command();
      addParameterOptions(command);
      command.parse(
        values.flatMap((value) => ['--control', value]),
        { from: 'user' },
      );
      return parametersFrom(command.opts())['controls'];
    };
    assert.equal(controlsOf(), undefined);
    assert.deepEqual(controlsOf('canny=0.5'), { canny: { scale: 0.5 } });
    assert.deepEqual(controlsOf('canny=0.5,start=0.1,end=0.6,preprocessor=soft_edge', 'depth-2=1'), {
      canny: { scale: 0.5, start: 0.1, end: 0.6, preprocessor: 'soft_edge' },
      'depth-2': { scale: 1 },
    });
    // What is no number stays text, which the rules refuse.
    assert.deepEqual(controlsOf('canny', 'depth=much,end'), {
      canny: { scale: '' },
      depth: { scale: 'much', end: '' },
    });
  });
});
