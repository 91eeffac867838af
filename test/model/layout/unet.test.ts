import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readModelFolder } from '../../../src/model/folder.js';
import type { UnetConfig } from '../../../src/model/configs.js';
import type { Graph } from '../../../src/model/layout/ports.js';
import { inputWidth, unetInput, unetLayout, type UnetLayout } from '../../../src/model/layout/unet.js';
import { layoutFolder, type LayoutName } from '../../support/layouts.js';

async function layoutOf(name: LayoutName): Promise<UnetLayout> {
  return (await readModelFolder(layoutFolder(name))).layout.unet;
}

/** Returns each input in short: its name, its source, and its shape in a call of three rows. */
function inputsOf({ inputs }: UnetLayout, timesteps: number): readonly string[] {
  const call = { rows: 3, timesteps, tokens: 5, height: 7, width: 9 };
  return inputs.map(({ port, from, shape }) => `${port.name}: ${from} [${shape(call).join(', ')}]`);
}

describe('the inputs of a U-Net', () => {
  it('are the latents, timesteps and prompts of all rows', async () => {
    assert.deepEqual(inputsOf(await layoutOf('optimum'), 3), [
      'sample: sample [3, 4, 7, 9]',
      'timestep: timestep [3]',
      'encoder_hidden_states: conditioning [3, 5, 16]',
    ]);
    const [, timestep] = inputsOf(await layoutOf('optimum-onnx'), 1);
    assert.equal(timestep, 'timestep: timestep []', 'one number');
  });

  it('include the guidance of a full LCM, and the whole prompt and the size for SDXL', async () => {
    const [lcm, sdxl] = [await layoutOf('lcm'), await layoutOf('sdxl')];
    assert.deepEqual(inputsOf(lcm, 1).slice(3), ['timestep_cond: conditioning [3, 256]']);
    assert.deepEqual(inputsOf(sdxl, 3).slice(3), [
      'text_embeds: conditioning [3, 24]',
      'time_ids: size [3, 6]',
    ]);
    assert.deepEqual([inputWidth(lcm, 'timestep_cond'), inputWidth(lcm, 'text_embeds')], [256, null]);
    assert.equal(unetInput(sdxl, 'text_embeds')?.port.type, 'float32');
    assert.equal(unetInput(sdxl, 'timestep_cond'), undefined);
  });

  it('have sizes that the export fixed: the tokens are the second one of the prompt', async () => {
    const fixed = await layoutOf('lcm');
    assert.deepEqual([fixed.rows, fixed.tokens, fixed.height, fixed.width], [2, 77, 32, 32]);
    const free = await layoutOf('sdxl');
    assert.deepEqual([free.rows, free.tokens, free.height, free.width], [null, null, null, null]);
    const { graph } = free;
    const rowsOnly: Graph = {
      ...graph,
      inputs: graph.inputs.map(({ name, type, shape }) => ({ name, type, shape: [2, ...shape.slice(1)] })),
    };
    const config: UnetConfig = {
      in_channels: 4,
      out_channels: 4,
      block_out_channels: [4, 8],
      down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D'],
      cross_attention_dim: 40,
      time_cond_proj_dim: null,
      addition_embed_type: 'text_time',
      addition_time_embed_dim: 8,
      projection_class_embeddings_input_dim: 72,
      sample_size: null,
    };
    const layout = unetLayout(rowsOnly, config, 'config.json');
    assert.deepEqual([layout.rows, layout.tokens], [2, null]);
  });
});
