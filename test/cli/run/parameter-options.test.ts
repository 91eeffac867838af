import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parameterNames, parameterSchemas } from '@millrace/protocol';
import { createRunCommand } from '../../../src/cli/run.js';
import { parametersFrom } from '../../../src/cli/run/parameter-options.js';

/** Options of `run` that set several parameters, or one in another form. */
const ownForms: Readonly<Record<string, readonly string[]>> = {
  size: ['width', 'height'],
  prompt: ['prompt', 'prompt_blend'],
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
});
