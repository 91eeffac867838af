import type { UnetConfig } from '../configs.js';
import { ModelError } from '../model-error.js';
import { precomputedInputs, type PrecomputedLayout } from './precomputed.js';
import {
  checkAxis,
  fixedSize,
  inputPort,
  outputPort,
  refuseOtherInputs,
  type Graph,
  type NumberPort,
} from './ports.js';

/** The dimensions of a U-Net call. */
export interface CallSize {
  readonly rows: number;
  /** As many as rows, or 1 for all of them. */
  readonly timesteps: number;
  /** Tokens of a prompt, the same in all rows. */
  readonly tokens: number;
  /** Latent size. */
  readonly height: number;
  readonly width: number;
  /** Slots of the attention bank; 1 if absent. */
  readonly slots?: number;
}

/** An input of an exported U-Net. */
export interface UnetInput {
  readonly port: NumberPort;
  /**
   * What it takes from a row: the noisy latent, the timestep, the conditioning with the name of the port, or the size of
   * the picture (original height and width, top and left of the crop, target height and width).
   */
  readonly from: 'sample' | 'timestep' | 'conditioning' | 'size';
  /** Returns the shape of its values in a call, row after row. */
  readonly shape: (call: CallSize) => readonly number[];
  /**
   * Zeros stand for values that a row does not have: for all of them (`whole`), or also for the last ones (`part`).
   * Absent: each row must have all.
   */
  readonly optional?: 'whole' | 'part';
  /** The input that this one scales: rows without values for that one have zeros here too. */
  readonly scales?: string;
}

/** How an exported U-Net takes its inputs. */
export interface UnetLayout {
  readonly graph: Graph;
  /** The small graphs that take some of the inputs; null if the U-Net takes all itself. */
  readonly precomputed: PrecomputedLayout | null;
  /** All that the graphs have, each with its source, except what the small graphs make for the U-Net. */
  readonly inputs: readonly UnetInput[];
  /**
   * Which timesteps a call takes: `rows` one for each row; `one` for all rows; `perhaps`: a list whose length has
   * another name than the rows (optimum: "steps"), where a trial call decides.
   */
  readonly timesteps: 'rows' | 'one' | 'perhaps';
  readonly output: NumberPort;
  /** Rows of every call, if the export fixed them. */
  readonly rows: number | null;
  /** Tokens of a prompt, if the export fixed them. */
  readonly tokens: number | null;
  /** Latent size, if the export fixed it. */
  readonly height: number | null;
  readonly width: number | null;
}

/** Number of `time_ids`, which give the size of the picture. */
const timeIdCount = 6;

/** Returns the port of an input, in the graph that has it. */
type PortOf = (name: string) => NumberPort;

/** What a U-Net may have besides its graph and configuration. */
interface UnetExtras {
  /** Inputs beyond those that the configuration describes. */
  readonly further?: readonly UnetInput[];
  readonly precomputed?: PrecomputedLayout | null;
}

/** @throws {ModelError} if the graph lacks inputs that its configuration requires. */
export function unetLayout(
  graph: Graph,
  config: UnetConfig,
  configPath: string,
  { further = [], precomputed = null }: UnetExtras = {},
): UnetLayout {
  const small = precomputedInputs(precomputed);
  const graphs = [graph, ...small.map((one) => one.graph)];
  const portOf: PortOf = (name) => {
    const taker = graphs.find(({ inputs }) => inputs.some((input) => input.name === name)) ?? graph;
    return inputPort(taker, name);
  };
  const sample = portOf('sample');
  const timestep = portOf('timestep');
  const text = portOf('encoder_hidden_states');
  const { in_channels: channels, time_cond_proj_dim: guidanceWidth, addition_embed_type: addition } = config;
  const textWidth = [config.cross_attention_dim].flat()[0] ?? 0;
  const isScalar = timestep.shape.length === 0;
  const inputs: UnetInput[] = [
    { port: sample, from: 'sample', shape: ({ rows, height, width }) => [rows, channels, height, width] },
    { port: timestep, from: 'timestep', shape: ({ timesteps }) => (isScalar ? [] : [timesteps]) },
    { port: text, from: 'conditioning', shape: ({ rows, tokens }) => [rows, tokens, textWidth] },
  ];
  // The guidance embedding of a model that guides itself (a full LCM).
  if (guidanceWidth) inputs.push(vectorInput(portOf('timestep_cond'), 'conditioning', guidanceWidth));
  if (addition === 'text_time') inputs.push(...addedInputs(portOf, config, configPath));
  inputs.push(...further);
  const known = [...inputs, ...small].map(({ port }) => port.name);
  for (const one of graphs) refuseOtherInputs(one, known);
  checkAxis(graph, sample, { axis: 1, size: channels, by: configPath });
  checkAxis(graph, text, { axis: 2, size: textWidth, by: configPath });
  return {
    graph,
    precomputed,
    inputs,
    timesteps: timestepsOf(graph, timestep, sample),
    output: outputPort(graph, ['out_sample']),
    rows: fixedSize(sample, 0),
    tokens: fixedSize(precomputed?.keys.port ?? text, 1),
    height: fixedSize(sample, 2),
    width: fixedSize(sample, 3),
  };
}

/** Returns the input of this name; undefined if the U-Net does not have it. */
export function unetInput({ inputs }: UnetLayout, name: string): UnetInput | undefined {
  return inputs.find(({ port }) => port.name === name);
}

/** Returns the last dimension of an input, the width of its vectors; null if the U-Net does not have it. */
export function inputWidth(layout: UnetLayout, name: string): number | null {
  const shape = unetInput(layout, name)?.shape({ rows: 1, timesteps: 1, tokens: 1, height: 1, width: 1 });
  return shape?.at(-1) ?? null;
}

/** Describes an input with one vector for each row. */
function vectorInput(port: NumberPort, from: UnetInput['from'], width: number): UnetInput {
  return { port, from, shape: ({ rows }) => [rows, width] };
}

/** Describes the further inputs of SDXL: the embedding of the whole prompt, and the size of the picture. */
function addedInputs(portOf: PortOf, config: UnetConfig, configPath: string): readonly UnetInput[] {
  const { addition_time_embed_dim: timeWidth, projection_class_embeddings_input_dim: width } = config;
  if (!timeWidth || !width) {
    throw new ModelError(
      configPath,
      'addition_embed_type is "text_time", which needs addition_time_embed_dim and ' +
        'projection_class_embeddings_input_dim; use the file of the original model',
    );
  }
  return [
    vectorInput(portOf('text_embeds'), 'conditioning', width - timeIdCount * timeWidth),
    vectorInput(portOf('time_ids'), 'size', timeIdCount),
  ];
}

function timestepsOf(graph: Graph, timestep: NumberPort, sample: NumberPort): UnetLayout['timesteps'] {
  const { shape } = timestep;
  if (shape.length > 1) {
    throw new ModelError(
      graph.file,
      `timestep has the shape [${shape.join(', ')}], not [] or [batch]; export the U-Net again`,
    );
  }
  const [steps] = shape;
  const [rows] = sample.shape;
  if (steps === undefined) return 'one';
  if (steps === rows && steps !== '') return 'rows';
  return typeof steps === 'number' ? 'one' : 'perhaps';
}
