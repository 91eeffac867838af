import { InferenceSession, Tensor } from 'onnxruntime-node';
import { hasFusedAttention } from '../../../model/onnx/attention.js';
import { float, graphFile, integer, node, runtimeDomain, valueInfo } from '../../../model/onnx/nodes.js';
import { deviceName, type Device } from '../../device.js';
import { sessionOptions } from './session-options.js';

/** Positions of queries and of keys, and the width of the only head. */
const [queries, keys, width] = [32, 64, 8];
/** Largest difference from the CPU that is rounding, as a share of the largest value. A wrong one is ten times as large. */
const tolerance = 0.02;

/**
 * Returns why a network cannot run on a device although all its operators do: ONNX Runtime 1.30 computes fused attention
 * wrongly on WebGPU devices whose subgroups have fewer than 8 invocations, from 32 queries and more keys than that on.
 * @returns null if nothing speaks against it.
 */
export async function attentionFault(file: string, device: Device): Promise<string | null> {
  if (device.provider !== 'webgpu' || !hasFusedAttention(file)) return null;
  const own = await attend(device);
  const wanted = await attend({ provider: 'cpu', index: 0 });
  const allowed = tolerance * Math.max(...wanted.map(Math.abs));
  const fits = wanted.every((value, i) => Math.abs(value - (own[i] ?? NaN)) <= allowed);
  return fits
    ? null
    : `ONNX Runtime computes fused attention wrongly on this ${deviceName(device)} device: export it with --attention plain`;
}

/** Computes the attention of some fixed values. */
async function attend(device: Device): Promise<Float32Array> {
  const options = sessionOptions(device, { threads: 1, cacheDirectory: null });
  const session = await InferenceSession.create(attentionGraph(), options);
  try {
    const feeds = { query: waves(queries, 1), key: waves(keys, 2), value: waves(keys, 3) };
    const { attended } = await session.run(feeds);
    return attended?.data as Float32Array;
  } finally {
    await session.release();
  }
}

function attentionGraph(): Uint8Array {
  const port = (number: 11 | 12, name: string, positions: number): Buffer =>
    valueInfo(number, name, 'float32', [1, positions, width]);
  return graphFile([
    port(11, 'query', queries),
    port(11, 'key', keys),
    port(11, 'value', keys),
    port(12, 'attended', queries),
    node(
      'MultiHeadAttention',
      ['query', 'key', 'value'],
      'attended',
      [integer('num_heads', 1), float('scale', 1)],
      runtimeDomain,
    ),
  ]);
}

/** Returns values from -1 to 1, other ones for each kind. */
function waves(positions: number, kind: number): Tensor {
  const values = Float32Array.from({ length: positions * width }, (_, i) =>
    Math.sin(kind + i * (kind + 0.7)),
  );
  return new Tensor('float32', values, [1, positions, width]);
}
