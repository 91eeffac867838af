import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StreamParameters } from '@millrace/protocol';
import { ModelCopy } from '../model/model-copy.js';
import { RecordedStream, startEngine, testImage, tinyModel, tinyParameters } from '../support/engine.js';
import { assertServedAlike } from '../support/served-together.js';

const frames = 3;

/** The kinds of models: what their scheduler files say, and parameters for them. */
const kinds: readonly {
  readonly file: Readonly<Record<string, unknown>>;
  readonly parameters: Partial<StreamParameters>;
}[] = [
  {
    file: { _class_name: 'FlowMatchEulerDiscreteScheduler', prediction_type: 'flow', shift: 3 },
    parameters: { solver: 'FlowMatchEulerDiscreteScheduler', eta: 0.5, noise_by_time: true },
  },
  {
    file: { prediction_type: 'reverse_flow' },
    parameters: { solver: 'FlowMatchHeunDiscreteScheduler' },
  },
  {
    file: { _class_name: 'PeRFlowScheduler', prediction_type: 'velocity' },
    parameters: { solver: 'PeRFlowScheduler', num_inference_steps: 8, t_index_list: [3, 6] },
  },
];

describe('a model that predicts a flow', () => {
  for (const { file, parameters } of kinds) {
    it(`serves users together as it does alone: ${JSON.stringify(file)}`, async () => {
      await using copy = await ModelCopy.create(tinyModel);
      await copy.edit('scheduler/scheduler_config.json', file);
      await using run = await startEngine(copy.folder);
      assert.deepEqual(
        run.notes.filter((note) => note.includes('solver')),
        [],
      );
      const one = tinyParameters({ ...parameters, denoise: 'stream' });
      const users = [
        one,
        { ...one, cfg_type: 'full', guidance_scale: 2 },
        { ...one, denoise: 'sequential' },
      ] as const;
      await assertServedAlike(run.engine, users, frames);
    });
  }

  it('refuses residual guidance of pure noise, also in the middle of a stream, which goes on', async () => {
    await using copy = await ModelCopy.create(tinyModel);
    await copy.edit('scheduler/scheduler_config.json', { prediction_type: 'flow' });
    await using run = await startEngine(copy.folder);
    const own = tinyParameters({ solver: 'FlowMatchEulerDiscreteScheduler', t_index_list: [0] });
    const refusal = { name: 'ParameterError', field: 'cfg_type', message: /from pure noise, not self/ };
    await assert.rejects(RecordedStream.open(run.engine, { ...own, cfg_type: 'self' }), refusal);
    const recorded = await RecordedStream.open(run.engine, own);
    await assert.rejects(recorded.stream.configure({ ...own, cfg_type: 'self' }), refusal);
    recorded.stream.push(0, { image: testImage(0, own) }, { replace: false });
    await recorded.until(() => recorded.answered === 1);
    assert.equal(recorded.results.size, 1);
    await recorded.stream.configure({ ...own, t_index_list: [30], cfg_type: 'self' });
    recorded.stream.close();
  });
});
