import assert from 'node:assert/strict';
import { cp, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readModelFolder } from '../../src/model/folder.js';
import { ModelError } from '../../src/model/model-error.js';
import { onnxGraph } from '../support/onnx-graph.js';
import { ModelCopy } from './model-copy.js';

const scheduler = 'scheduler/scheduler_config.json';
const betas = { beta_start: undefined, beta_end: undefined, beta_schedule: undefined };
const parts = ['unet', 'vae_encoder', 'vae_decoder', 'text_encoder'];

function editing(
  file: string,
  fields: Readonly<Record<string, unknown>>,
): (copy: ModelCopy) => Promise<void> {
  return (copy) => copy.edit(file, fields);
}

async function withoutGraphs(copy: ModelCopy): Promise<void> {
  for (const part of parts) {
    await copy.remove(`${part}/model.onnx`);
    await copy.remove(`${part}/model_int8.onnx`);
  }
}

/** The fault, the change to the model, the file or folder in the error, the error message. */
const refused: readonly (readonly [string, (copy: ModelCopy) => Promise<void>, string, RegExp])[] = [
  ...(
    [
      ['FlowMatchLCMScheduler', /flow-matching/],
      ['FlowMapEulerDiscreteScheduler', /flow-matching/],
      ['EDMEulerScheduler', /continuous levels of noise/],
      ['EDMDPMSolverMultistepScheduler', /continuous levels of noise/],
      ['VQDiffusionScheduler', /another kind of model/],
      ['ConsistencyDecoderScheduler', /consistency decoders/],
      ['CMStochasticIterativeScheduler', /continuous levels/],
      ['SchedulerOfTomorrow', /is not known here and has no betas/],
    ] as const
  ).map(
    ([name, message]) =>
      [name, editing(scheduler, { ...betas, _class_name: name }), scheduler, message] as const,
  ),
  [
    'a flow-matching scheduler that still has betas',
    editing(scheduler, { _class_name: 'FlowMatchLCMScheduler' }),
    scheduler,
    /FlowMatchLCMScheduler is a scheduler of flow-matching models .* use a Stable Diffusion/,
  ],
  [
    'a scheduler without class and betas',
    editing(scheduler, { ...betas, _class_name: undefined }),
    scheduler,
    /names no scheduler class and has no betas/,
  ],
  ['flow sigmas', editing(scheduler, { use_flow_sigmas: true }), scheduler, /use_flow_sigmas is true/],
  [
    'continuous timesteps',
    editing(scheduler, { timestep_type: 'continuous' }),
    scheduler,
    /timestep_type is "continuous": the model was trained with continuous levels/,
  ],
  [
    'an unknown prediction',
    editing(scheduler, { prediction_type: 'flow_map' }),
    scheduler,
    /field prediction_type must be equal to one of .*, not "flow_map"; correct the file/,
  ],
  [
    'an unknown spacing',
    editing(scheduler, { timestep_spacing: 'sideways' }),
    scheduler,
    /field timestep_spacing must be equal to one of .*, not "sideways"/,
  ],
  [
    'a number as text',
    editing(scheduler, { steps_offset: '1' }),
    scheduler,
    /field steps_offset must be integer/,
  ],
  [
    'betas of another training',
    editing(scheduler, { trained_betas: [0.1, 0.2], num_train_timesteps: 1000 }),
    scheduler,
    /has 2 trained_betas for 1000 num_train_timesteps/,
  ],
  [
    'a transformer',
    async (copy) => {
      await copy.edit('model_index.json', { _class_name: 'StableDiffusion3Pipeline' });
      await rename(join(copy.folder, 'unet'), join(copy.folder, 'transformer'));
    },
    'model_index.json',
    /StableDiffusion3Pipeline is a diffusion transformer .* cannot be run here; Stable Diffusion 1\.x/,
  ],
  [
    'FLUX by name',
    editing('model_index.json', { _class_name: 'FluxPipeline' }),
    'model_index.json',
    /FluxPipeline is a diffusion transformer/,
  ],
  [
    'inpainting',
    editing('unet/config.json', { in_channels: 9 }),
    'unet/config.json',
    /in_channels is 9, but .* \(models for inpainting have 9 channels/,
  ],
  [
    'a model without conditions',
    editing('unet/config.json', { _class_name: 'UNet2DModel' }),
    'unet/config.json',
    /not "UNet2DModel"; the model is of a kind that cannot be run here/,
  ],
  [
    'PyTorch weights alone',
    async (copy) => {
      await withoutGraphs(copy);
      await copy.write('unet/diffusion_pytorch_model.safetensors', 'weights');
    },
    '',
    /holds PyTorch weights, but no ONNX graphs, .*; export it in ops\/export with "python -m millrace_export \S+ -o/,
  ],
  [
    'OpenVINO alone',
    async (copy) => {
      await withoutGraphs(copy);
      for (const part of [...parts, 'vae']) {
        for (const file of ['model.safetensors', 'diffusion_pytorch_model.safetensors']) {
          await copy.remove(`${part}/${file}`);
        }
      }
      await copy.write('unet/openvino_model.bin', 'weights');
    },
    '',
    /holds OpenVINO models, but no ONNX graphs/,
  ],
  [
    'no VAE encoder',
    async (copy) => {
      await copy.remove('vae_encoder');
      await copy.remove('vae/diffusion_pytorch_model.safetensors');
    },
    'vae_encoder/model.onnx',
    /no such file, which is needed to read pictures; download the folder vae_encoder too, or export/,
  ],
  [
    'a VAE encoder in PyTorch',
    async (copy) => {
      await copy.remove('vae_encoder');
      await copy.write('vae/diffusion_pytorch_model.safetensors', 'weights');
    },
    'vae_encoder/model.onnx',
    /which is needed to read pictures; vae has only PyTorch weights; export it in ops\/export/,
  ],
  [
    'two variants',
    async (copy) => {
      await rename(join(copy.folder, 'unet/model.onnx'), join(copy.folder, 'unet/model_fp16.onnx'));
      await cp(join(copy.folder, 'unet/model_fp16.onnx'), join(copy.folder, 'unet/model_fp32.onnx'));
    },
    'unet',
    /holds the graphs model_fp16\.onnx, model_fp32\.onnx; rename the one to use to model\.onnx/,
  ],
  [
    'truncated weights next to the graph',
    async (copy) => {
      const port = ['x', 1, [1]] as const;
      const weights = [['w', 1, [100], 'weights.bin', [4096, 400]]] as const;
      await copy.remove('unet/model.onnx');
      await writeFile(
        join(copy.folder, 'unet/model.onnx'),
        onnxGraph({ inputs: [port], outputs: [port], weights }),
      );
      await copy.write('unet/weights.bin', 'x'.repeat(4400));
    },
    'unet/weights.bin',
    /has 4400 bytes of the 4496 that its graph needs; download it again/,
  ],
  [
    'a truncated graph',
    async (copy) => {
      const whole = await readFile(join(copy.folder, 'unet/model.onnx'));
      await copy.remove('unet/model.onnx');
      await writeFile(join(copy.folder, 'unet/model.onnx'), whole.subarray(0, whole.length / 2));
    },
    'unet/model.onnx',
    /only a part of one; download the model again/,
  ],
  [
    'means without deviations',
    editing('vae/config.json', { latents_mean: [0, 0, 0, 0] }),
    'vae/config.json',
    /latents_mean and latents_std must both have 4 values/,
  ],
];

describe('a model of another kind', () => {
  for (const [what, change, file, message] of refused) {
    it(`is refused by name: ${what}`, async () => {
      await using copy = await ModelCopy.create();
      await change(copy);
      await assert.rejects(readModelFolder(copy.folder), (error) => {
        assert.ok(error instanceof ModelError, String(error));
        assert.equal(error.path, join(copy.folder, file));
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      });
    });
  }

  it('is refused by name: a checkpoint', async () => {
    await using copy = await ModelCopy.create();
    await copy.write('sd.safetensors', 'weights');
    const file = join(copy.folder, 'sd.safetensors');
    await assert.rejects(readModelFolder(file), (error) => {
      assert.match(String(error), /a file, not a model folder; if it is a checkpoint, export it/);
      return true;
    });
  });
});

describe('a model with rare settings', () => {
  it('uses the betas of its class in diffusers if its file has none', async () => {
    await using copy = await ModelCopy.create();
    for (const [name, schedule, start] of [
      ['LCMScheduler', 'scaled_linear', 0.00085],
      ['DDIMScheduler', 'linear', 0.0001],
      ['HeunDiscreteScheduler', 'linear', 0.00085],
      ['FlaxDDIMScheduler', 'linear', 0.0001],
    ] as const) {
      await copy.edit(scheduler, { ...betas, _class_name: name });
      const { scheduler: read } = await readModelFolder(copy.folder);
      assert.deepEqual([read['beta_schedule'], read['beta_start']], [schedule, start], name);
    }
  });

  it('ignores clip_sample where StableDiffusionPipeline of diffusers does, and says so', async () => {
    await using copy = await ModelCopy.create();
    await copy.edit(scheduler, { clip_sample: true });
    await copy.edit('model_index.json', { _class_name: 'StableDiffusionPipeline' });
    const usual = await readModelFolder(copy.folder);
    assert.equal(usual.scheduler['clip_sample'], false);
    assert.match(usual.notes.join(), /clip_sample in .* is ignored, as diffusers does/);
    await copy.edit('model_index.json', { _class_name: 'StableDiffusionXLPipeline' });
    const xl = await readModelFolder(copy.folder);
    assert.deepEqual([xl.scheduler['clip_sample'], xl.notes], [true, []]);
  });

  it('keeps the per-channel statistics of its latents', async () => {
    await using copy = await ModelCopy.create();
    const [mean, std] = [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ];
    await copy.edit('vae/config.json', { latents_mean: mean, latents_std: std });
    assert.deepEqual((await readModelFolder(copy.folder)).latentStatistics, { mean, std });
  });

  it('ignores files left behind by operating systems', async () => {
    await using copy = await ModelCopy.create();
    await rename(join(copy.folder, 'unet/model.onnx'), join(copy.folder, 'unet/model_fp16.onnx'));
    await copy.write('unet/._model_fp16.onnx', 'x');
    const { layout } = await readModelFolder(copy.folder);
    assert.match(layout.unet.graph.file, /unet.model_fp16\.onnx$/);
  });

  for (const [encoding, start] of [
    ['utf8', '\ufeff'],
    ['utf16le', '\ufeff'],
    ['utf16le', ''],
  ] as const) {
    it(`may have JSON in ${encoding}, ${start ? 'with' : 'without'} a byte order mark`, async () => {
      await using copy = await ModelCopy.create();
      for (const file of ['model_index.json', scheduler, 'unet/config.json', 'tokenizer/vocab.json']) {
        const text = await readFile(join(copy.folder, file), 'utf8');
        await copy.remove(file);
        await writeFile(join(copy.folder, file), Buffer.from(`${start}${text}`, encoding));
      }
      assert.equal((await readModelFolder(copy.folder)).scheduler['beta_schedule'], 'scaled_linear');
    });
  }
});
