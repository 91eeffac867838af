import { join } from 'node:path';
import { createValidator } from '../../text/validator.js';
import { ModelError } from '../model-error.js';
import { exists, readModelJson } from '../model-files.js';
import { readGraphFile } from './graph-file.js';
import { fixedSize, onlyInput, outputPort, type Graph, type NumberPort } from './ports.js';
import { normalisation, type Scaling, type Three } from './scaling.js';

/** Whether results are checked: `auto` leaves it to the model. */
export type SafetySetting = 'auto' | 'on' | 'off';

/** A classifier of a model folder that finds pictures that should not be shown. It takes red first. */
export interface SafetyLayout extends Scaling {
  readonly graph: Graph;
  readonly input: NumberPort;
  readonly output: NumberPort;
  /** Pictures of every call, if the export fixed them. */
  readonly rows: number | null;
  /** Sides of the pictures that it takes, in pixels. */
  readonly size: { readonly width: number; readonly height: number };
  /** Of two logits, the one of pictures to flag. */
  readonly flaggedLogit: 0 | 1;
  /** Pictures whose probability is at least this are flagged, from 0 to 1. */
  readonly threshold: number;
}

/** The names are those of image processors in transformers, as far as they have one. */
interface SafetyConfig {
  readonly image_size: number | null;
  readonly image_mean: Three;
  readonly image_std: Three;
  readonly flagged_logit: 0 | 1;
  readonly threshold: number;
}

const three = (items: object): object => ({ type: 'array', minItems: 3, maxItems: 3, items });
// The configurations of diffusers and transformers have many more fields.
const validateConfig = createValidator<SafetyConfig>({
  type: 'object',
  properties: {
    enabled: { type: 'boolean', default: false },
    image_size: { type: ['integer', 'null'], minimum: 1, maximum: 4096, default: null },
    // Those of CLIP.
    image_mean: { ...three({ type: 'number' }), default: [0.48145466, 0.4578275, 0.40821073] },
    image_std: {
      ...three({ type: 'number', exclusiveMinimum: 0 }),
      default: [0.26862954, 0.26130258, 0.27577711],
    },
    flagged_logit: { enum: [0, 1], default: 1 },
    threshold: { type: 'number', minimum: 0, maximum: 1, default: 0.5 },
  },
});

const validateAny = createValidator<Readonly<Record<string, unknown>>>({ type: 'object' });

/** The side that CLIP takes. */
const usualSide = 224;

/**
 * Reads safety_checker/model.onnx and its config.json, if results are to be checked.
 * @returns null if neither the setting nor the model turns it on.
 * @throws {ModelError} if it is on and cannot be used.
 */
export async function readSafetyChecker(root: string, setting: SafetySetting): Promise<SafetyLayout | null> {
  if (setting === 'off') return null;
  const path = join(root, 'safety_checker', 'config.json');
  const file = join(root, 'safety_checker', 'model.onnx');
  if (setting === 'auto' && !(await turnsOn(path))) return null;
  if (!(await exists(path))) {
    throw new ModelError(
      path,
      'no such file, although safetyChecker is on; put a classifier there as ops/docs/devices.md says, or set it to auto',
    );
  }
  const config = await readModelJson(path, validateConfig);
  const graph = await readGraphFile(file);
  const input = onlyInput(graph);
  const output = outputPort(graph, ['logits']);
  checkPorts(graph, input, output);
  const side = config.image_size ?? usualSide;
  return {
    graph,
    input,
    output,
    rows: fixedSize(input, 0),
    size: { height: inputSide(graph, input, 2, side), width: inputSide(graph, input, 3, side) },
    ...normalisation(config.image_mean, config.image_std),
    flaggedLogit: config.flagged_logit,
    threshold: config.threshold,
  };
}

/** Returns whether the model turns its checker on. Files that are of no use here do not, whatever is wrong with them. */
async function turnsOn(path: string): Promise<boolean> {
  const config = await readModelJson(path, validateAny).catch(() => null);
  return config?.['enabled'] === true;
}

/** Returns a side of the input: the one that the export fixed, else the one of the configuration. */
function inputSide(graph: Graph, input: NumberPort, axis: 2 | 3, configured: number): number {
  const side = fixedSize(input, axis) ?? configured;
  if (side <= 4096) return side;
  throw new ModelError(
    graph.file,
    `"${input.name}" has a side of ${side} pixels, where at most 4096 are allowed`,
  );
}

/** @throws {ModelError} if the graph states that it is no classifier of pictures with one or two logits. */
function checkPorts(graph: Graph, input: NumberPort, output: NumberPort): void {
  const stated = ({ name, type, shape }: NumberPort): string =>
    `"${name}" is ${type} of [${shape.join(', ')}]`;
  const floats = [input, output].every(({ type }) => type === 'float32' || type === 'float16');
  if (!floats || input.shape.length !== 4 || (fixedSize(input, 1) ?? 3) !== 3) {
    throw new ModelError(
      graph.file,
      `${stated(input)}, where a safety checker takes float32 or float16 of [batch, 3, height, width]; ` +
        'export it again so',
    );
  }
  const logits = output.shape.length === 2 ? (fixedSize(output, 1) ?? 1) : 1;
  if (output.shape.length > 2 || output.shape.length === 0 || logits > 2) {
    throw new ModelError(
      graph.file,
      `${stated(output)}, where a safety checker returns one or two logits a picture: [batch, 1] or [batch, 2]; ` +
        'export it again so, or set safetyChecker to off',
    );
  }
}
