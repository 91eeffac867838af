import type { UnetConfig } from '../configs.js';
import { ModelError } from '../model-error.js';
import { fixedSize, inputPort, outputPort, refuseOtherInputs, type Graph, type NumberPort } from './ports.js';

/** How an exported U-Net takes its inputs. */
export interface UnetLayout {
  readonly graph: Graph;
  /** [rows, channels, height, width] */
  readonly sample: NumberPort;
  readonly timestep: NumberPort;
  /**
   * Which timesteps a call takes: `rows` one for each row; `one` for all rows; `perhaps`: a list whose length has
   * another name than the rows (optimum: "steps"), where a trial call decides.
   */
  readonly timesteps: 'rows' | 'one' | 'perhaps';
  /** [rows, tokens, width] */
  readonly text: NumberPort;
  /** Guidance embedding [rows, width] of a model that guides itself (a full LCM), else null. */
  readonly guidance: { readonly port: NumberPort; readonly width: number } | null;
  /** Further inputs of SDXL: the embedding of the whole prompt [rows, width], and sizes [rows, 6]; else null. */
  readonly added: {
    readonly pooled: NumberPort;
    readonly pooledWidth: number;
    readonly timeIds: NumberPort;
  } | null;
  readonly output: NumberPort;
  /** Rows of every call, if the export fixed them. */
  readonly rows: number | null;
  /** Latent size, if the export fixed it. */
  readonly height: number | null;
  readonly width: number | null;
}

/** Height and width of the original, top and left of the crop, height and width of the target. */
const timeIdCount = 6;

/** @throws {ModelError} if the graph lacks inputs that its configuration requires. */
export function unetLayout(graph: Graph, config: UnetConfig, configPath: string): UnetLayout {
  const sample = inputPort(graph, 'sample');
  const timestep = inputPort(graph, 'timestep');
  const text = inputPort(graph, 'encoder_hidden_states');
  const known = [sample.name, timestep.name, text.name];
  const { time_cond_proj_dim: guidanceWidth, addition_embed_type: addition } = config;
  const guidance = guidanceWidth ? { port: inputPort(graph, 'timestep_cond'), width: guidanceWidth } : null;
  const added = addition === 'text_time' ? addedInputs(graph, config, configPath) : null;
  if (guidance) known.push(guidance.port.name);
  if (added) known.push(added.pooled.name, added.timeIds.name);
  refuseOtherInputs(graph, known);
  checkAxis(graph, sample, 1, config.in_channels);
  checkAxis(graph, text, 2, [config.cross_attention_dim].flat()[0] ?? 0);
  return {
    graph,
    sample,
    timestep,
    timesteps: timestepsOf(graph, timestep, sample),
    text,
    guidance,
    added,
    output: outputPort(graph, ['out_sample']),
    rows: fixedSize(sample, 0),
    height: fixedSize(sample, 2),
    width: fixedSize(sample, 3),
  };
}

/** @throws {ModelError} if graph and configuration are from different models. */
function checkAxis(graph: Graph, port: NumberPort, axis: number, wanted: number): void {
  const found = fixedSize(port, axis);
  if (found === null || found === wanted) return;
  throw new ModelError(
    graph.file,
    `"${port.name}" has the shape [${port.shape.join(', ')}], where config.json beside it requires ${wanted}, ` +
      `not ${found}; use both from the same model`,
  );
}

function addedInputs(graph: Graph, config: UnetConfig, configPath: string): UnetLayout['added'] {
  const { addition_time_embed_dim: timeWidth, projection_class_embeddings_input_dim: width } = config;
  if (!timeWidth || !width) {
    throw new ModelError(
      configPath,
      'addition_embed_type is "text_time", which needs addition_time_embed_dim and ' +
        'projection_class_embeddings_input_dim; use the file of the original model',
    );
  }
  return {
    pooled: inputPort(graph, 'text_embeds'),
    pooledWidth: width - timeIdCount * timeWidth,
    timeIds: inputPort(graph, 'time_ids'),
  };
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
