import { InferenceSession, Tensor } from 'onnxruntime-node';
import { oneLine } from '../../../src/engine/as-error.js';
import { parseDevice } from '../../../src/engine/device.js';
import { sessionOptions } from '../../../src/engine/worker/devices/session-options.js';
import {
  constants,
  float,
  graphFile,
  integer,
  node,
  runtimeDomain,
  valueInfo,
} from '../../../src/model/onnx/nodes.js';
import { inTurns, ratio } from '../pipeline-rig.js';
import type { Figure } from '../report.js';

/** A graph that computes the same as others of its kind, and the version of ONNX's operators that it needs. */
interface Form {
  readonly nodes: readonly Buffer[];
  readonly opset: number;
}

export interface FormTrials {
  readonly device: string;
  readonly threads: number;
  readonly channels: number;
  /** Of the maps. */
  readonly side: number;
  readonly rounds: number;
}

const groups = 32;
const epsilon = float('epsilon', 1e-5);

function silu(from: string, to: string): readonly Buffer[] {
  return [node('Sigmoid', [from], 'share'), node('Mul', [from, 'share'], to)];
}

/** GroupNorm as torch exports it. */
function instanceNorm(channels: number): readonly Buffer[] {
  return [
    constants('split', 'int64', [0, groups, -1]),
    constants('ones', 'float32', Array<number>(groups).fill(1)),
    constants('zeros', 'float32', Array<number>(groups).fill(0)),
    node('Reshape', ['x', 'split'], 'grouped'),
    node('InstanceNormalization', ['grouped', 'ones', 'zeros'], 'equal', [epsilon]),
    node('Shape', ['x'], 'shape'),
    node('Reshape', ['equal', 'shape'], 'normal'),
    constants('scale', 'float32', Array<number>(channels).fill(2), [channels, 1, 1]),
    constants('shift', 'float32', Array<number>(channels).fill(0.5), [channels, 1, 1]),
    node('Mul', ['normal', 'scale'], 'scaled'),
    node('Add', ['scaled', 'shift'], 'normed'),
  ];
}

/** The forms of GroupNorm followed by SiLU, and of SiLU alone, by their names; the first of each is how the exporter writes it. */
function formsOf(channels: number): Readonly<Record<string, Readonly<Record<string, Form>>>> {
  const weights = [
    constants('scale', 'float32', Array<number>(channels).fill(2)),
    constants('shift', 'float32', Array<number>(channels).fill(0.5)),
  ];
  const quickGelu = (from: string): Buffer =>
    node('QuickGelu', [from], 'y', [float('alpha', 1)], runtimeDomain);
  const groupNormalization = node('GroupNormalization', ['x', 'scale', 'shift'], 'normed', [
    integer('num_groups', groups),
    epsilon,
  ]);
  const groupNorm = node(
    'GroupNorm',
    ['x', 'scale', 'shift'],
    'y',
    [integer('groups', groups), epsilon, integer('activation', 1), integer('channels_last', 0)],
    runtimeDomain,
  );
  return {
    'GroupNorm and SiLU': {
      'InstanceNormalization, Sigmoid and Mul': {
        nodes: [...instanceNorm(channels), ...silu('normed', 'y')],
        opset: 17,
      },
      'InstanceNormalization and QuickGelu': {
        nodes: [...instanceNorm(channels), quickGelu('normed')],
        opset: 17,
      },
      'GroupNormalization of opset 21': {
        nodes: [...weights, groupNormalization, ...silu('normed', 'y')],
        opset: 21,
      },
      'GroupNorm of com.microsoft': { nodes: [...weights, groupNorm], opset: 17 },
    },
    SiLU: {
      'Sigmoid and Mul': { nodes: silu('x', 'y'), opset: 17 },
      QuickGelu: { nodes: [quickGelu('x')], opset: 17 },
      'Swish of opset 24': { nodes: [node('Swish', ['x'], 'y')], opset: 24 },
    },
  };
}

/** Compares forms of GroupNorm and SiLU with the exporter's. @returns also those that a device cannot run, with the reason. */
export async function formFigures(
  trials: FormTrials,
): Promise<{ readonly figures: readonly Figure[]; readonly missing: readonly string[] }> {
  const { device, threads, channels, side, rounds } = trials;
  const options = sessionOptions(parseDevice(device), { threads, cacheDirectory: null });
  const shape = [1, channels, side, side];
  const values = Float32Array.from({ length: channels * side * side }, (_, i) => Math.sin(1.7 * i));
  const feeds = { x: new Tensor('float32', values, shape) };
  const figures: Figure[] = [];
  const missing: string[] = [];
  for (const [kind, forms] of Object.entries(formsOf(channels))) {
    const sessions = new Map<string, InferenceSession>();
    for (const [name, { nodes, opset }] of Object.entries(forms)) {
      const ports = [valueInfo(11, 'x', 'float32', shape), valueInfo(12, 'y', 'float32', shape)];
      try {
        sessions.set(name, await InferenceSession.create(graphFile([...ports, ...nodes], opset), options));
      } catch (error) {
        missing.push(`${kind}, ${name}, on ${device}: ${oneLine(error)}`);
      }
    }
    const ms = await inTurns(
      [...sessions.keys()],
      async (name) => {
        const start = performance.now();
        await sessions.get(name)?.run(feeds);
        return performance.now() - start;
      },
      rounds,
    );
    const [own = '', ...others] = sessions.keys();
    for (const name of others) {
      figures.push({
        what: `${kind} on ${device}: ${name}, over ${own}`,
        value: ratio(ms[name], ms[own]),
        unit: 'x',
      });
    }
    for (const session of sessions.values()) await session.release();
  }
  return { figures, missing };
}
