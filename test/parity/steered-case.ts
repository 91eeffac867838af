import assert from 'node:assert/strict';
import { defaultParameters, type StreamParameters } from '@millrace/protocol';
import type { RowValues, Stream } from '../../src/diffusion/stream.js';
import type { ModelRuntime } from '../../src/engine/worker/networks/runtime.js';
import { BankMemory } from '../../src/engine/worker/streams/bank-memory.js';
import { PictureSteering, type Style } from '../../src/engine/worker/streams/picture-steering.js';
import { readModelFolder, type ModelFolder } from '../../src/model/folder.js';
import { slice, type CaseParameters, type RecordedCase } from './recorded-case.js';
import { relativeError, type ReplayedSteering } from './replay.js';

/** The JSON file of a stream that is steered by pictures, by earlier frames or by its own results. */
export interface ConditionedInfo {
  readonly parameters: Pick<
    CaseParameters,
    | 'cfg_type'
    | 't_index_list'
    | 'guidance_scale'
    | 'delta'
    | 'width'
    | 'height'
    | 'frames'
    | 'latent_feedback'
    | 'vae_scaling_factor'
    | 'timestep_scaling'
  > & {
    readonly prompt: string;
    readonly negative_prompt: string;
    readonly controlnets: readonly {
      readonly model: string;
      readonly scale: number;
      readonly start?: number;
      readonly end?: number;
    }[];
    readonly t2i_adapter: { readonly model: string; readonly scale: number } | null;
    readonly ip_adapter: { readonly scale: number | readonly number[] } | null;
    readonly attention_bank: {
      readonly frames: number;
      readonly interval: number;
      readonly layers?: readonly string[] | null;
    } | null;
    readonly changes: readonly {
      readonly frame: number;
      readonly controlnet_scales?: readonly number[];
      readonly style_seed?: number;
      readonly ip_scale?: number | readonly number[];
      readonly latent_feedback?: number;
    }[];
  };
  readonly tolerances: RecordedCase['tolerances'];
}

/** Tokens of a style image are compared with the recorded ones. */
const tokenTolerance = 5e-5;

/** Returns the model for a case: of those whose bank has only layers that the case names, the one with most of them. */
export async function steeredFolder(
  { parameters }: ConditionedInfo,
  models: readonly string[],
): Promise<ModelFolder> {
  const parts = parameters.attention_bank?.layers ?? null;
  const folders = await Promise.all(models.map((model) => readModelFolder(model)));
  const layersOf = (folder: ModelFolder): readonly { readonly name: string }[] =>
    folder.layout.steered?.bank ?? [];
  const [best] = folders
    .filter((folder) =>
      layersOf(folder).every(({ name }) => parts?.some((part) => name.includes(part)) ?? true),
    )
    .toSorted((a, b) => layersOf(b).length - layersOf(a).length);
  assert.ok(best, `no model in ${models.join(', ')} has a bank in ${parts?.join(', ')} alone`);
  return best;
}

/** Returns what steers a recorded stream, by the code that serves users. */
export async function replaySteering(
  { parameters }: ConditionedInfo,
  { tensors }: RecordedCase,
  runtime: ModelRuntime,
): Promise<(stream: Stream) => ReplayedSteering> {
  const { controlnets, t2i_adapter: adapter, ip_adapter: ip, attention_bank: bank, changes } = parameters;
  const names = controlnets.map(({ model }) => model);
  const features = async (name: string, planes: Float32Array): Promise<RowValues> => {
    assert.ok(runtime.controls);
    return runtime.controls.features(name, bytesOf(planes), parameters);
  };
  const black = new Float32Array(3 * parameters.width * parameters.height);
  const fillings: RowValues[] = [];
  for (const name of names) fillings.push(await features(name, black));
  const filling = Object.assign({}, ...fillings) as RowValues;
  const styles: Style['tokens'][] = [];
  const styleCount = tensors.has('style_pixels') ? tensors.shape('style_pixels')[0] : 0;
  for (let i = 0; i < styleCount; i++) {
    assert.ok(runtime.imageEncoder);
    const tokens = await runtime.imageEncoder.encodePlanes(slice(tensors, 'style_pixels', i));
    assert.ok(relativeError(tokens.positive, slice(tensors, 'image_tokens', 2 * i)) <= tokenTolerance);
    assert.ok(relativeError(tokens.negative, slice(tensors, 'image_tokens', 2 * i + 1)) <= tokenTolerance);
    styles.push(tokens);
  }
  return ({ plan }) => {
    const steered = new PictureSteering(0, { model: runtime, bankMemory: new BankMemory(1e9) });
    let scales = controlnets.map(({ scale }) => scale);
    let ipScale = ip?.scale ?? 0;
    let [style] = styles;
    const apply = (): void => {
      const controls: Record<string, StreamParameters['controls'][string]> = Object.fromEntries(
        controlnets.map(({ model, start = 0, end = 1 }, j) => [model, { scale: scales[j], start, end }]),
      );
      if (adapter) controls[adapter.model] = { scale: adapter.scale };
      const all: StreamParameters = {
        ...defaultParameters(),
        cfg_type: parameters.cfg_type as StreamParameters['cfg_type'],
        guidance_scale: parameters.guidance_scale,
        controls,
        attention_bank_frames: bank?.frames ?? 0,
        attention_bank_interval: bank?.interval ?? 1,
      };
      steered.check(all, plan);
      steered.apply(all, plan, null);
      steered.style = styles.length === 0 ? null : { tokens: style, scales: layerScales(runtime, ipScale) };
    };
    const begin = async (k: number): Promise<RowValues> => {
      for (const change of changes.filter(({ frame }) => frame === k)) {
        scales = [...(change.controlnet_scales ?? scales)];
        ipScale = change.ip_scale ?? ipScale;
        if (change.style_seed !== undefined) style = styles[styles.indexOf(style) + 1];
      }
      apply();
      const own: RowValues[] = [];
      for (const [j, name] of names.entries())
        own.push(await features(name, slice(tensors, `control_${j}`, k)));
      if (adapter) own.push(await features(adapter.model, slice(tensors, 'adapter_image', k)));
      return Object.assign({}, ...own) as RowValues;
    };
    return { steered, begin, filling };
  };
}

/** Returns a scale for each cross-attention layer. */
function layerScales(runtime: ModelRuntime, scale: number | readonly number[]): Float32Array {
  const { layers = [] } = runtime.folder.layout.steered?.imageEncoder ?? {};
  return Float32Array.from(typeof scale === 'number' ? layers.map(() => scale) : scale);
}

/** Returns planes of 0 to 1 as RGB bytes. */
function bytesOf(planes: Float32Array): Uint8Array {
  const area = planes.length / 3;
  return Uint8Array.from(planes, (_, i) => Math.round(255 * planes[(i % 3) * area + Math.floor(i / 3)]));
}
