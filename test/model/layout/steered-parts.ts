import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { onnxGraph, type GraphParts, type GraphPort } from '../../support/onnx-graph.js';
import type { ModelCopy } from '../model-copy.js';

/** Types of tensors, by their numbers in ONNX. */
export const [float32, int64] = [1, 7];
export const textWidth = 16;
/** Returns the shape of a map with so many channels. */
export const map = (channels: number): GraphPort[2] => ['batch', channels, 'h', 'w'];

/** The parts of a steered model, which a fault changes. */
export interface Parts {
  config: {
    controls: Record<string, unknown>[];
    ip_adapter: Record<string, unknown> | null;
    attention_bank: { layers: Record<string, unknown>[] } | null;
  };
  readonly graphs: Map<string, { inputs: GraphPort[]; outputs: GraphPort[] }>;
}

/** Returns parts that fit each other and the model `optimum`. */
export function wholeParts(): Parts {
  return {
    config: {
      controls: [
        {
          name: 'canny',
          type: 'controlnet',
          preprocessor: 'canny',
          features: [{ channels: 4, divisor: 1 }],
        },
        {
          name: 'sketch',
          type: 't2i_adapter',
          features: [
            { channels: 4, divisor: 1 },
            { channels: 8, divisor: 2 },
          ],
        },
      ],
      ip_adapter: {
        tokens: 4,
        image_size: 32,
        image_mean: [0.5, 0.5, 0.5],
        image_std: [0.5, 0.5, 0.5],
        layers: ['down_blocks.0', 'up_blocks.1', 'mid_block'],
      },
      attention_bank: { layers: [{ name: 'mid_block.attentions.0', divisor: 2, width: 8 }] },
    },
    graphs: new Map([
      [
        'unet_steered',
        {
          inputs: [
            ['sample', float32, map(4)],
            ['timestep', int64, ['batch']],
            ['encoder_hidden_states', float32, ['batch', 77, textWidth]],
            ['control_0_feature_0', float32, map(4)],
            ['control_0_scale', float32, ['batch']],
            ['control_1_feature_0', float32, map(4)],
            ['control_1_feature_1', float32, map(8)],
            ['control_1_scale', float32, ['batch']],
            ['image_tokens', float32, ['batch', 4, textWidth]],
            ['ip_adapter_scale', float32, ['batch', 3]],
            ['bank_0', float32, ['batch', 'slots', 2, 'positions', 8]],
            ['bank_mask', float32, ['batch', 'slots']],
          ],
          outputs: [
            ['out_sample', float32, map(4)],
            ['bank_0_out', float32, ['batch', 2, 'positions', 8]],
          ],
        },
      ],
      ['controls/canny', { inputs: [['image', float32, map(3)]], outputs: [['feature_0', float32, map(4)]] }],
      [
        'controls/sketch',
        {
          inputs: [['image', float32, map(3)]],
          outputs: [
            ['feature_0', float32, map(4)],
            ['feature_1', float32, map(8)],
          ],
        },
      ],
      [
        'image_encoder',
        {
          inputs: [['pixel_values', float32, ['batch', 3, 32, 32]]],
          outputs: [
            ['image_tokens', float32, ['batch', 4, textWidth]],
            ['negative_image_tokens', float32, ['batch', 4, textWidth]],
          ],
        },
      ],
    ]),
  };
}

/** Writes the parts into a model folder. */
export async function write(copy: ModelCopy, { config, graphs }: Parts): Promise<void> {
  for (const [part, graph] of graphs) {
    const file = join(copy.folder, part, 'model.onnx');
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, onnxGraph(graph satisfies GraphParts));
  }
  await writeFile(join(copy.folder, 'unet_steered/config.json'), JSON.stringify(config));
}

/** Changes a port of a graph; null removes it. */
export function change(
  parts: Parts,
  part: string,
  name: string,
  port: Partial<{ type: number; shape: GraphPort[2] }> | null,
): void {
  const graph = parts.graphs.get(part);
  assert.ok(graph);
  for (const side of ['inputs', 'outputs'] as const) {
    graph[side] = graph[side].flatMap((each): GraphPort[] => {
      if (each[0] !== name) return [each];
      return port === null ? [] : [[name, port.type ?? each[1], port.shape ?? each[2]]];
    });
  }
}
