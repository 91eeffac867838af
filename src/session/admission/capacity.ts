import type { StreamParameters } from '@millrace/protocol';
import type { Engine, InferenceCall } from '../../engine/engine.js';
import { frameMs, frameWork, rowsPerSecond, slowedBy, type Costs, type Work } from '../../engine/costs.js';
import { fairLevel } from './fair-level.js';
import { slotsIn, type Slo } from './slo.js';
import { Slowdown } from './slowdown.js';

export interface CapacityOptions {
  readonly slo: Slo;
  /** Most sessions, whatever the engine can do. */
  readonly most: number;
  /** What a session that comes is taken to ask for. */
  readonly parameters: StreamParameters;
  /** What the sessions that are there ask for. */
  readonly present: () => Iterable<StreamParameters>;
}

/** What takes time beside the streams' own work in the engine. */
export interface OtherWork {
  /** Milliseconds that a picture of each stream takes to decode. */
  readonly decodeMs: readonly number[];
  /** Pictures that are decoded at the same time. */
  readonly decoders: number;
  /**
   * Images (txt2img) that were being made within the last `imagesMs` milliseconds: together they count as one stream.
   */
  readonly images: readonly StreamParameters[];
  readonly imagesMs: number;
}

/**
 * How much this server can carry: the one number that admission, pacing, metrics and alerts go by. It comes from the
 * costs that calibration measured, from what the sessions that are there ask for, and from how much longer the engine
 * takes under load.
 */
export class Capacity {
  readonly #engine: Engine;
  readonly #options: CapacityOptions;
  readonly #slowdown = new Slowdown();
  /** As measured last: while the engine is being restarted, it is what it was before. */
  #costs: Costs | null = null;

  constructor(engine: Engine, options: CapacityOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  /**
   * Sessions that can be served at the same time: those that are there, and as many more as can be promised the same.
   * At least one.
   */
  get slots(): number {
    const { slo, most, parameters, present } = this.#options;
    const costs = this.#measured();
    if (costs === null || slo.fps === 0) return most;
    const there = [...present()].map((own) => this.#work(costs, own));
    const more = slotsIn(slo, costs, { there, one: this.#work(costs, parameters), most });
    return Math.min(most, Math.max(1, there.length + more));
  }

  /** The settings that `slots` comes from, as they are given to the command. */
  get basis(): string {
    const { slo, most } = this.#options;
    if (this.slots === most) return `--max-sessions ${most}`;
    const { fps, latencySeconds } = slo;
    return `--slo-fps ${fps}${latencySeconds === 0 ? '' : ` and --slo-latency-seconds ${latencySeconds}`}`;
  }

  /** Rows of U-Net calls that the engine can do in a second; 0 until it has been calibrated. */
  get rowsPerSecond(): number {
    const costs = this.#measured();
    return costs === null ? 0 : rowsPerSecond(costs);
  }

  /**
   * Shares the time of the engine, and that for decoding pictures, out among streams that send frames, if there is not
   * enough to give each the frames that it is promised: equal times, so that costly frames are fewer frames.
   * @returns frames a second of each; null for as many as it likes.
   */
  share(streams: readonly StreamParameters[], other?: OtherWork): readonly (number | null)[] {
    const { fps } = this.#options.slo;
    const costs = this.#measured();
    const { decodeMs = [], decoders = 1, images = [], imagesMs = 1000 } = other ?? {};
    // One alone has the engine to itself.
    const claimants = streams.length + Math.min(1, images.length);
    if (costs === null || fps === 0 || claimants < 2) return streams.map(() => null);
    const inEngine = (parameters: StreamParameters): number =>
      this.#area(parameters) * frameMs(costs, parameters);
    const decoding = streams.map((_, i) => (decodeMs[i] ?? 0) / decoders);
    // Where the engine runs on the processor, decoding takes the time from it.
    const shared = this.#onProcessor ? 1 : 0;
    const engine = streams.map((parameters, i) => inEngine(parameters) + shared * (decoding[i] ?? 0));
    const imageNeed = (images.reduce((sum, image) => sum + inEngine(image), 0) * 1000) / imagesMs;
    const byEngine = mostFrames(engine, { fps, also: imageNeed });
    const byDecoding = mostFrames(decoding, { fps, also: 0 });
    return byEngine.map((most, i) => leastOf(most, byDecoding[i] ?? null));
  }

  /** Takes into account what a call of the engine took. @returns whether that has changed what it can do. */
  observe({ ms, pictureMs, expectedMs }: InferenceCall): boolean {
    return this.#slowdown.observe({ ms: ms + pictureMs, expectedMs });
  }

  get #onProcessor(): boolean {
    const { state } = this.#engine;
    return state.name === 'ready' && state.device.split(',').includes('cpu');
  }

  /** Calibrated costs, as they are now under load. */
  #measured(): Costs | null {
    const { state } = this.#engine;
    if (state.name === 'ready') this.#costs = state;
    return this.#costs && slowedBy(this.#slowdown.factor, this.#costs);
  }

  /** One frame of such a stream. */
  #work(costs: Costs, parameters: StreamParameters): Work {
    const { rows, pictureMs } = frameWork(costs, parameters);
    const area = this.#area(parameters);
    return { rows: area * rows, pictureMs: area * pictureMs };
  }

  /** Costs are those of the size that a session has if it does not ask for another; others cost by their area. */
  #area({ width, height }: StreamParameters): number {
    const { parameters: usual } = this.#options;
    return (width * height) / (usual.width * usual.height);
  }
}

/**
 * Shares out the time of one resource that every frame needs, if there is not enough for `fps` frames a second of each.
 * @param frameMs milliseconds that a frame of each takes.
 * @param also milliseconds a second that is wanted for something else.
 * @returns frames a second of each; null for as many as it likes.
 */
function mostFrames(
  frameMs: readonly number[],
  { fps, also }: { readonly fps: number; readonly also: number },
): readonly (number | null)[] {
  const needs = frameMs.map((ms) => ms * fps);
  const level = fairLevel(also > 0 ? [...needs, also] : needs, 1000);
  return frameMs.map((ms) => (ms * fps > level ? level / ms : null));
}

function leastOf(a: number | null, b: number | null): number | null {
  return a === null ? b : Math.min(a, b ?? Infinity);
}
