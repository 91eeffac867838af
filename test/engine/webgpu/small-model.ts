import { after } from 'node:test';
import { Gaussian } from '../../../src/diffusion/gaussian.js';
import { ModelCopy } from '../../model/model-copy.js';
import { tinyModel } from '../../support/engine.js';
import { onnxGraph, type GraphNode, type GraphParts } from '../../support/onnx-graph.js';

type Weights = NonNullable<GraphParts['constants']>;

const [float32, int64] = [1, 7];
const random = new Gaussian(3);

/** Returns weights that preserve the scale of what they are multiplied with. */
function weights(name: string, ...shape: readonly number[]): Weights[number] {
  const count = shape.reduce((product, side) => product * side, 1);
  const inputs = count / (shape[0] ?? 1);
  return [name, shape, Array.from({ length: count }, () => random.next() / Math.sqrt(inputs))];
}

function numbers(name: string, ...values: readonly number[]): Weights[number] {
  return [name, [values.length], values];
}

function integers(name: string, ...values: readonly number[]): Weights[number] {
  return [name, [values.length], values.map(BigInt)];
}

const pads = [1, 1, 1, 1];

const vaeEncoder = onnxGraph({
  inputs: [['sample', float32, ['batch', 3, 'height', 'width']]],
  outputs: [['latent_sample', float32, ['batch', 4, 'latent_height', 'latent_width']]],
  constants: [weights('patches', 4, 3, 8, 8)],
  nodes: [['Conv', ['sample', 'patches'], 'latent_sample', { strides: [8, 8] }]],
});

const vaeDecoder = onnxGraph({
  inputs: [['latent_sample', float32, ['batch', 4, 'latent_height', 'latent_width']]],
  outputs: [['sample', float32, ['batch', 3, 'height', 'width']]],
  constants: [
    weights('filter', 8, 4, 3, 3),
    weights('colours', 3, 8, 1, 1),
    numbers('eightfold', 1, 1, 8, 8),
  ],
  nodes: [
    ['Conv', ['latent_sample', 'filter'], 'filtered', { pads }],
    ['Relu', ['filtered'], 'positive'],
    ['Conv', ['positive', 'colours'], 'small'],
    ['Resize', ['small', '', 'eightfold'], 'sample'],
  ],
});

/** Nodes for the features of the timestep, [batch, 8, 1, 1]. */
const time: readonly GraphNode[] = [
  ['Cast', ['timestep'], 'number', { to: float32 }],
  ['Unsqueeze', ['number', 'last'], 'column'],
  ['Mul', ['column', 'frequencies'], 'angles'],
  ['Sin', ['angles'], 'sine'],
  ['Cos', ['angles'], 'cosine'],
  ['Concat', ['sine', 'cosine'], 'waves', { axis: 1 }],
  ['Gemm', ['waves', 'time_weights'], 'embedded'],
  ['Sigmoid', ['embedded'], 'embedded_gate'],
  ['Mul', ['embedded', 'embedded_gate'], 'activated'],
  ['Unsqueeze', ['activated', 'sides'], 'features'],
];

/** A residual block: group normalisation as exporters write it, SiLU, a convolution, the timestep. */
const block: readonly GraphNode[] = [
  ['Conv', ['sample', 'first'], 'filtered', { pads }],
  ['Shape', ['filtered'], 'filtered_shape'],
  ['Reshape', ['filtered', 'groups'], 'grouped'],
  ['InstanceNormalization', ['grouped', 'ones', 'zeros'], 'normal_groups'],
  ['Reshape', ['normal_groups', 'filtered_shape'], 'normal'],
  ['Mul', ['normal', 'scales'], 'scaled'],
  ['Add', ['scaled', 'features'], 'shifted'],
  ['Sigmoid', ['shifted'], 'gate'],
  ['Mul', ['shifted', 'gate'], 'silu'],
  ['Conv', ['silu', 'second'], 'convolved', { pads }],
  ['Add', ['filtered', 'convolved'], 'residual'],
];

/** A transformer block: attention to the prompt, a linear layer with GELU. */
const transformer: readonly GraphNode[] = [
  ['Reshape', ['residual', 'channels'], 'planes'],
  ['Transpose', ['planes'], 'positions', { perm: [0, 2, 1] }],
  ['LayerNormalization', ['positions', 'norm_scale', 'norm_shift'], 'normed'],
  ['MatMul', ['normed', 'to_query'], 'query'],
  ['MatMul', ['encoder_hidden_states', 'to_key'], 'key'],
  ['MatMul', ['encoder_hidden_states', 'to_value'], 'value'],
  ['Transpose', ['key'], 'key_columns', { perm: [0, 2, 1] }],
  ['MatMul', ['query', 'key_columns'], 'scores'],
  ['Softmax', ['scores'], 'probabilities'],
  ['MatMul', ['probabilities', 'value'], 'attended'],
  ['Add', ['positions', 'attended'], 'joined'],
  ['MatMul', ['joined', 'linear'], 'hidden'],
  ['Div', ['hidden', 'root'], 'divided'],
  ['Erf', ['divided'], 'error'],
  ['Add', ['error', 'one'], 'shares'],
  ['Mul', ['hidden', 'shares'], 'double'],
  ['Mul', ['double', 'half'], 'gelu'],
  ['Transpose', ['gelu'], 'gelu_planes', { perm: [0, 2, 1] }],
  ['Reshape', ['gelu_planes', 'filtered_shape'], 'picture'],
];

/** A level of half the size, joined with the level above it. */
const levels: readonly GraphNode[] = [
  ['Conv', ['picture', 'down'], 'lower', { pads, strides: [2, 2] }],
  ['Resize', ['lower', '', 'twofold'], 'upper'],
  ['Concat', ['upper', 'residual'], 'both', { axis: 1 }],
  ['Conv', ['both', 'last_filter'], 'out_sample', { pads }],
];

const unet = onnxGraph({
  inputs: [
    ['sample', float32, ['batch', 4, 'height', 'width']],
    ['timestep', int64, ['batch']],
    ['encoder_hidden_states', float32, ['batch', 77, 32]],
  ],
  outputs: [['out_sample', float32, ['batch', 4, 'height', 'width']]],
  constants: [
    integers('last', 1),
    numbers('frequencies', 1, 0.1, 0.01, 0.001),
    weights('time_weights', 8, 8),
    integers('sides', 2, 3),
    weights('first', 8, 4, 3, 3),
    integers('groups', 0, 4, -1),
    numbers('ones', 1, 1, 1, 1),
    numbers('zeros', 0, 0, 0, 0),
    weights('scales', 1, 8, 1, 1),
    weights('second', 8, 8, 3, 3),
    integers('channels', 0, 8, -1),
    numbers('norm_scale', ...Array.from({ length: 8 }, () => 1)),
    numbers('norm_shift', ...Array.from({ length: 8 }, () => 0.1)),
    weights('to_query', 8, 8),
    weights('to_key', 32, 8),
    weights('to_value', 32, 8),
    weights('linear', 8, 8),
    numbers('root', Math.SQRT2),
    numbers('one', 1),
    numbers('half', 0.5),
    weights('down', 8, 8, 3, 3),
    numbers('twofold', 1, 1, 2, 2),
    weights('last_filter', 4, 16, 3, 3),
  ],
  nodes: [...time, ...block, ...transformer, ...levels],
});

/**
 * Makes a model for a GPU in software, which takes long to compile each operator and is slow: for pictures of 64 x 64, and
 * with each kind of operator of exported U-Nets and VAEs about once. The text encoder is that of the tiny model. Attention
 * is in plain operators: the fused one of ONNX Runtime 1.30 counts keys twice on this device, whose subgroups have fewer
 * than 8 invocations.
 */
export async function smallModel(): Promise<string> {
  const model = await tinyModelOf64();
  const graphs = { vae_encoder: vaeEncoder, unet, vae_decoder: vaeDecoder };
  for (const [part, graph] of Object.entries(graphs)) await model.write(`${part}/model.onnx`, graph);
  return model.folder;
}

/** Copies the tiny model, for pictures of 64 x 64. */
export async function tinyModelOf64(): Promise<ModelCopy> {
  const model = await ModelCopy.create(tinyModel);
  after(() => model[Symbol.asyncDispose]());
  await model.write('millrace.json', JSON.stringify({ defaults: { width: 64, height: 64 } }));
  return model;
}
