import { Batcher } from '../../src/diffusion/batcher.js';
import {
  Stream,
  type Conditioning,
  type Lane,
  type RowValues,
  type Steering,
} from '../../src/diffusion/stream.js';
import type { ModelRuntime } from '../../src/engine/worker/networks/runtime.js';
import type { KeptRows } from '../../src/engine/worker/networks/unet.js';
import type { PictureSteering } from '../../src/engine/worker/streams/picture-steering.js';
import { floatVaeOf } from '../support/float-vae.js';
import { admissionOf, guidanceOf, planOf, slice, type RecordedCase } from './recorded-case.js';

/** The largest error of each tensor so far, relative to max(1, largest wanted value). */
export type Errors = Map<string, number>;

const budget = 64;

/** What steers a recorded stream besides prompts. */
export interface ReplayedSteering {
  readonly steered: PictureSteering;
  /** Applies what changes with frame k. @returns what belongs to this frame alone. */
  readonly begin: (k: number) => Promise<RowValues>;
  /** What rows get that only fill the pipe. */
  readonly filling: RowValues;
}

/** Runs a recorded case through the stream, the batcher and the networks that serve users. */
export class Replay {
  readonly #case: RecordedCase;
  readonly #runtime: ModelRuntime;
  readonly #conditionings: readonly Conditioning[];
  readonly #stream: Stream;
  readonly #pictures: ReplayedSteering | null;
  /** The steering by prompts alone. */
  #prompts: Steering;
  readonly #batcher = new Batcher<{
    readonly key: string;
    lanes: () => readonly Lane[];
    entries: () => number[];
  }>();
  readonly #source;
  readonly errors: Errors = new Map();

  /** @param conditionings one for each row of `embeds`. */
  constructor(
    recorded: RecordedCase,
    runtime: ModelRuntime,
    conditionings: readonly Conditioning[],
    pictures: ((stream: Stream) => ReplayedSteering) | null = null,
  ) {
    this.#case = recorded;
    this.#runtime = runtime;
    this.#conditionings = conditionings;
    const { parameters } = recorded;
    const steering = {
      guidance: guidanceOf(parameters),
      positive: conditionings[0],
      negative: conditionings[1] ?? conditionings[0],
    };
    const stream = new Stream(planOf(recorded, runtime), steering, admissionOf(parameters));
    this.#stream = stream;
    this.#prompts = steering;
    this.#pictures = pictures?.(stream) ?? null;
    this.#source = { key: '', lanes: () => stream.lanes(), entries: (): number[] => [] };
    // The original starts with zeros in all stages but the first; the first frames of a recording push them out.
    if (parameters.use_denoising_batch) this.#fill(() => null);
  }

  /** Puts the state recorded after frame k - 1 into the stages. */
  restoreBefore(k: number): void {
    const { tensors, parameters } = this.#case;
    if (!parameters.use_denoising_batch) return;
    this.#fill((stage) => ({
      sample: slice(tensors, 'buffer_after', k - 1, stage - 1),
      stock: tensors.has('stock_noise_after') ? slice(tensors, 'stock_noise_after', k - 1, stage - 1) : null,
    }));
  }

  async frame(k: number): Promise<void> {
    const { parameters } = this.#case;
    const change = parameters.prompt_changes.findLastIndex(({ frame }) => frame === k);
    if (change >= 0) this.#prompts = { ...this.#prompts, positive: this.#conditionings[2 + change] };
    const own = await this.#pictures?.begin(k);
    this.#stream.steering = this.#pictures?.steered.steer(this.#prompts) ?? this.#prompts;
    this.#stream.admission = admissionOf(parameters, k);
    for (let f = 0; f < parameters.frame_buffer_size; f++) await this.#admit(k, f, own);
    const n = parameters.t_index_list.length;
    if (parameters.use_denoising_batch) return this.#call([k], n);
    for (let step = 0; step < n; step++) await this.#call([k, step], n);
  }

  #fill(state: (stage: number) => { sample: Float32Array; stock: Float32Array | null } | null): void {
    const { plan, ordinal } = this.#stream;
    const length = plan.shape[0] * plan.shape[1] * plan.shape[2];
    const n = plan.solver.stages.length;
    const stages = Array.from({ length: n - 1 }, (_, i) => n - 1 - i);
    this.#stream.restore({
      ordinal,
      frames: stages.map((stage) => {
        const values = state(stage);
        return {
          frame: ordinal - stage,
          ordinal: ordinal - stage,
          stageIndex: stage,
          sample: values?.sample ?? new Float32Array(length),
          stock: values?.stock ?? new Float32Array(length),
          history: {},
          stockHistory: {},
        };
      }),
    });
  }

  async #admit(k: number, f: number, own?: RowValues): Promise<void> {
    const { tensors, parameters } = this.#case;
    let latent: Float32Array | null = null;
    if (parameters.mode === 'img2img') {
      const vae = await floatVaeOf(this.#runtime.folder);
      latent = await vae.encode(slice(tensors, 'image', k, f), parameters);
      this.#compare('latent', latent, k, f);
    }
    this.#stream.admit(this.#stream.ordinal, latent, own);
    this.#compare('x_t', this.#stream.snapshot().frames.at(-1)!.sample, k, f);
  }

  /** Makes one U-Net call; `at` is the position of its values in the recorded tensors. */
  async #call(at: readonly number[], n: number): Promise<void> {
    const [share] = this.#batcher.gather([this.#source], budget);
    const lanes = share.lanes
      .toSorted((a, b) => a.stageIndex - b.stageIndex || a.frame - b.frame)
      .map((lane) => this.#steered(lane));
    const rows = [
      ...lanes.flatMap((lane) => lane.rows.filter(({ role }) => role === 'negative')),
      ...lanes.flatMap((lane) => lane.rows.filter(({ role }) => role === 'positive')),
    ];
    const kept: KeptRows = [];
    const outputs = await this.#runtime.predict(rows, lanes[0].shape, kept);
    this.#exact('unet rows', rows.length, this.#case.tensors.shape('unet_sample')[at.length]);
    rows.forEach((r, i) => {
      this.#exact('unet_timestep', r.stage.timestep, this.#ofRow('unet_timestep', at, i));
      const { encoder_hidden_states: text } = r.conditioning;
      const embed = this.#conditionings.findIndex((known) => known.encoder_hidden_states === text);
      this.#exact('unet_embed_row', embed, this.#ofRow('unet_embed_row', at, i));
      this.#compare('unet_sample', r.input, ...at, i);
      this.#compare('unet_out', outputs[i], ...at, i);
    });
    let finished = 0;
    for (const [i, lane] of lanes.entries()) {
      const own = lane.rows.map((r) => outputs[rows.indexOf(r)]);
      // What only fills the stages leaves nothing in a bank.
      if (lane.frame >= 0) {
        this.#pictures?.steered.keep(
          lane,
          lane.rows.map((r) => kept[rows.indexOf(r)] ?? []),
        );
      }
      const latent = this.#stream.absorb(lane, own, ({ eps, stock }) => {
        this.#compare('eps', eps, ...at, i);
        if (this.#case.tensors.has('stock_noise_used')) this.#compare('stock_noise_used', stock, ...at, i);
      });
      if (latent) await this.#finish(at[0], finished++, latent);
      // What only fills the stages leaves no feedback.
      if (latent && lane.frame < 0) this.#stream.discard(lane.frame);
    }
    if (!this.#case.parameters.use_denoising_batch || !this.#case.tensors.has('buffer_after')) return;
    for (const { stageIndex, sample, stock } of this.#stream.snapshot().frames) {
      this.#compare('buffer_after', sample, ...at, stageIndex - 1);
      if (this.#case.tensors.has('stock_noise_after')) {
        this.#compare('stock_noise_after', stock, ...at, stageIndex - 1);
      }
    }
    this.#exact('frames under way', this.#stream.snapshot().frames.length, n - 1);
  }

  /** Returns a lane with what its rows take from the bank, or what only fills the pipe. */
  #steered(lane: Lane): Lane {
    if (this.#pictures === null) return lane;
    const { steered, filling } = this.#pictures;
    const { rows, ...others } = steered.fill(lane);
    if (lane.frame >= 0) return { ...others, rows };
    const filled = rows.map(({ role, stage, input, conditioning }) => {
      return { role, stage, input, conditioning: Object.assign({}, conditioning, filling) };
    });
    return { ...others, rows: filled };
  }

  /** Returns a recorded integer of a U-Net row; one number may stand for all rows of a call. */
  #ofRow(name: string, at: readonly number[], row: number): number | undefined {
    const { tensors } = this.#case;
    const shape = tensors.shape(name);
    const width = shape[at.length];
    const call = at.reduce((index, position, axis) => index * shape[axis] + position, 0);
    return tensors.numbers(name)[call * width + (width === 1 ? 0 : row)];
  }

  async #finish(k: number, f: number, latent: Float32Array): Promise<void> {
    this.#compare('x0', latent, k, f);
    const vae = await floatVaeOf(this.#runtime.folder);
    this.#compare('image_out', await vae.decode(latent, this.#case.parameters), k, f);
  }

  #compare(name: string, got: ArrayLike<number>, ...index: readonly number[]): void {
    if (!this.#case.tensors.has(name)) return;
    const wanted = slice(this.#case.tensors, name, ...index);
    this.#note(name, relativeError(got, wanted));
  }

  #exact(name: string, got: number, wanted: number | undefined): void {
    this.#note(name, got === wanted ? 0 : Infinity);
  }

  #note(name: string, error: number): void {
    this.errors.set(name, Math.max(this.errors.get(name) ?? 0, error));
  }
}

/** Returns max|got - want| / max(1, max|want|); infinite if lengths differ or a value is NaN. */
export function relativeError(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (got.length !== wanted.length) return Infinity;
  let largest = 1;
  let error = 0;
  for (let i = 0; i < wanted.length; i++) {
    const difference = Math.abs(got[i] - wanted[i]);
    if (Number.isNaN(difference)) return Infinity;
    error = Math.max(error, difference);
    largest = Math.max(largest, Math.abs(wanted[i]));
  }
  return error / largest;
}
