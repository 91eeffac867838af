import type { TextEncoderConfig } from '../configs.js';
import { ModelError } from '../model-error.js';
import { fixedSize, inputPort, outputPort, refuseOtherInputs, type Graph, type NumberPort } from './ports.js';

/** How an exported CLIP text encoder is used. */
export interface TextEncoderLayout {
  readonly graph: Graph;
  readonly ids: NumberPort;
  /** The output that conditions the U-Net: [1, tokens, width]. */
  readonly embedding: NumberPort;
  readonly width: number;
  /** The embedding of the whole prompt [1, width], if the model uses this encoder's; else null. */
  readonly pooled: { readonly port: NumberPort; readonly width: number } | null;
}

export interface TextEncoderUse {
  /** `penultimate`: the hidden states before the last layer, which SDXL uses. */
  readonly layer: 'last' | 'penultimate';
  readonly pooled: boolean;
}

/** @throws {ModelError} if the graph lacks an output or needs other inputs. */
export function textEncoderLayout(
  graph: Graph,
  config: TextEncoderConfig,
  { layer, pooled }: TextEncoderUse,
): TextEncoderLayout {
  const ids = inputPort(graph, 'input_ids');
  refuseOtherInputs(graph, [ids.name]);
  const texts = fixedSize(ids, 0) ?? 1;
  if (texts !== 1) {
    throw new ModelError(graph.file, `takes ${texts} texts at a time; export it again for 1 or any number`);
  }
  const width = config.hidden_size;
  const embedding =
    layer === 'penultimate' ? penultimate(graph, config) : outputPort(graph, ['last_hidden_state']);
  return { graph, ids, embedding, width, pooled: pooled ? pooledOutput(graph, config) : null };
}

/** hidden_states.0 is the input of the first layer, so that the input of the last one has the number layers - 1. */
function penultimate(graph: Graph, { num_hidden_layers: layers }: TextEncoderConfig): NumberPort {
  const name = `hidden_states.${layers - 1}`;
  if (graph.outputs.some((output) => output.name === name)) return outputPort(graph, [name]);
  throw new ModelError(
    graph.file,
    `the graph has no output "${name}", the hidden states that SDXL is conditioned on; ` +
      'export the text encoder again with its hidden states',
  );
}

function pooledOutput(graph: Graph, config: TextEncoderConfig): TextEncoderLayout['pooled'] {
  if (graph.outputs.some(({ name }) => name === 'text_embeds')) {
    return { port: outputPort(graph, ['text_embeds']), width: config.projection_dim ?? config.hidden_size };
  }
  throw new ModelError(
    graph.file,
    'the graph has no output "text_embeds", the embedding of the whole prompt; ' +
      'export the text encoder again as CLIPTextModelWithProjection',
  );
}
