import type { FrameCosts, ParameterName, StreamParameters } from '@millrace/protocol';
import type { InferenceCall } from '../../engine/engine.js';
import {
  cost,
  streamBankBytes,
  frameMs,
  frameWork,
  rowsPerSecond,
  slowedBy,
  unbrokenMs,
  type Costs,
  type Work,
} from '../../engine/costs.js';
import type { EngineFacts } from '../../engine/messages.js';
import { ProtocolError } from '../wire/protocol-error.js';
import { fairLevel } from './fair-level.js';
import { slotsIn, type Slo } from './slo.js';
import { Slowdown } from './slowdown.js';

export interface CapacityOptions {
  readonly slo: Slo;
  /** Maximum number of sessions, whatever the engine can do. */
  readonly most: number;
  /** Longest time for which a frame may occupy the device without a break, in milliseconds; 0 for no limit. */
  readonly maxCallMs: number;
  /** Assumed parameters of a new session. */
  readonly parameters: StreamParameters;
  /** Returns the parameters of the present sessions. */
  readonly present: () => Iterable<StreamParameters>;
}

/** Work that takes time besides that of streams in the engine. */
export interface OtherWork {
  /** Milliseconds to decode a picture, for each stream. */
  readonly decodeMs: readonly number[];
  /** Pictures that are decoded at the same time. */
  readonly decoders: number;
  /**
   * Images (txt2img) that were being generated within the last `imagesMs` milliseconds: together they count as one
   * stream.
   */
  readonly images: readonly StreamParameters[];
  readonly imagesMs: number;
}

/**
 * How many sessions this server can carry: the one number that admission, pacing, metrics and alerts use. It follows
 * from the calibrated costs, the parameters of the present sessions, and the slowdown of the engine under load.
 */
export class Capacity {
  readonly #options: CapacityOptions;
  readonly #slowdown = new Slowdown();
  #facts: EngineFacts | null = null;

  constructor(options: CapacityOptions) {
    this.#options = options;
  }

  /** Sessions that can be served at the same time: those present, and as many more as keep the SLO. At least one. */
  get slots(): number {
    const { slo, most, parameters, present } = this.#options;
    const costs = this.#measured();
    if (costs === null || slo.fps === 0) return most;
    const sessions = [...present()];
    const there = sessions.map((own) => this.#work(costs, own));
    const more = slotsIn(slo, costs, { there, one: this.#work(costs, parameters), most });
    const remembered = this.#bankSlots(costs, sessions);
    return Math.min(most, Math.max(1, there.length + Math.min(more, remembered)));
  }

  /** The settings that determine `slots`, as command-line flags. */
  get basis(): string {
    const { slo, most } = this.#options;
    if (this.slots === most) return `--max-sessions ${most}`;
    const { fps, latencySeconds } = slo;
    return `--slo-fps ${fps}${latencySeconds === 0 ? '' : ` and --slo-latency-seconds ${latencySeconds}`}`;
  }

  /** U-Net rows per second that the engine can compute; 0 before calibration. */
  get rowsPerSecond(): number {
    const costs = this.#measured();
    return costs === null ? 0 : rowsPerSecond(costs);
  }

  /** What a frame costs; null before calibration. */
  get frameCosts(): FrameCosts | null {
    const costs = this.#measured();
    if (costs === null || this.#facts === null) return null;
    const { parameters, maxCallMs } = this.#options;
    const { width, height } = parameters;
    const area = Math.max(1, maxCallMs / unbrokenMs(this.#facts, parameters));
    return {
      width,
      height,
      picture_ms: costs.pictureMs,
      step_ms: cost(costs.costs, 1),
      ...(maxCallMs > 0 && { most_pixels: Math.floor(area * width * height) }),
    };
  }

  /**
   * Divides engine time and decoding time among streams that send frames, if there is too little to keep the SLO of
   * each: all get equal time, so that streams with expensive frames get fewer.
   * @returns frames per second of each; null for no limit.
   */
  share(streams: readonly StreamParameters[], other?: OtherWork): readonly (number | null)[] {
    const { fps } = this.#options.slo;
    const costs = this.#measured();
    const { decodeMs = [], decoders = 1, images = [], imagesMs = 1000 } = other ?? {};
    // A single stream has the engine to itself.
    const claimants = streams.length + Math.min(1, images.length);
    if (costs === null || fps === 0 || claimants < 2) return streams.map(() => null);
    const inEngine = (parameters: StreamParameters): number =>
      this.#area(parameters) * frameMs(costs, parameters);
    const decoding = streams.map((_, i) => (decodeMs[i] ?? 0) / decoders);
    // If the engine runs on the CPU, decoding takes time from it.
    const shared = this.#onProcessor ? 1 : 0;
    const engine = streams.map((parameters, i) => inEngine(parameters) + shared * (decoding[i] ?? 0));
    const imageNeed = (images.reduce((sum, image) => sum + inEngine(image), 0) * 1000) / imagesMs;
    const byEngine = mostFrames(engine, { fps, also: imageNeed });
    const byDecoding = mostFrames(decoding, { fps, also: 0 });
    return byEngine.map((most, i) => leastOf(most, byDecoding[i] ?? null));
  }

  /**
   * Refuses pictures so large for this device that a single call, which nothing can interrupt, would make all other
   * streams wait too long. The model's default size is never refused.
   * @param present parameters that the stream has already: at this size or a smaller one, no longer call is refused.
   * @throws {ProtocolError} limit_exceeded
   */
  checkCall(parameters: StreamParameters, present?: StreamParameters): void {
    // By calibration alone: what is allowed should not change with the load.
    const costs = this.#facts;
    const { maxCallMs } = this.#options;
    if (costs === null || maxCallMs === 0 || this.#area(parameters) <= 1) return;
    const callMs = (own: StreamParameters): number => this.#area(own) * unbrokenMs(costs, own);
    const ms = callMs(parameters);
    const grows = !present || this.#area(parameters) > this.#area(present);
    const allowedMs = Math.max(maxCallMs, grows ? 0 : callMs(present));
    if (ms <= allowedMs) return;
    const steeredBefore = present && { ...parameters, ...steeringOf(present) };
    const isSteering = steeredBefore !== undefined && callMs(steeredBefore) <= allowedMs;
    const { field, cause, remedy } = longCall(parameters, grows ? null : present, isSteering);
    const { width, height } = parameters;
    throw new ProtocolError(
      'limit_exceeded',
      `a frame of ${width}x${height}${cause} takes this server ${seconds(ms)} at a stretch, ` +
        `and others wait meanwhile; at most ${seconds(maxCallMs)} are allowed (maxCallSeconds): ` +
        `choose ${remedy}a smaller width or height`,
      { field },
    );
  }

  /** Takes over what an engine that is now ready was measured to need; it counts until the next calibration. */
  calibrated(facts: EngineFacts): void {
    this.#facts = facts;
  }

  /** Takes the duration of an engine call into account. @returns whether the capacity has changed. */
  observe({ ms, pictureMs, expectedMs }: InferenceCall): boolean {
    return this.#slowdown.observe({ ms: ms + pictureMs, expectedMs });
  }

  get #onProcessor(): boolean {
    return this.#facts?.device.split(',').includes('cpu') ?? false;
  }

  /** Returns the calibrated costs, corrected for the current load; null before the calibration. */
  #measured(): Costs | null {
    return this.#facts && slowedBy(this.#slowdown.factor, this.#facts);
  }

  /** Returns the work of one frame of such a stream. */
  #work(costs: Costs, parameters: StreamParameters): Work {
    const { rows, pictureMs } = frameWork(costs, parameters);
    const area = this.#area(parameters);
    return { rows: area * rows, pictureMs: area * pictureMs };
  }

  /** Returns how many more sessions the memory for attention banks has room for; Infinity if new ones have no bank. */
  #bankSlots(costs: Costs, sessions: readonly StreamParameters[]): number {
    const bytesOf = (own: StreamParameters): number => this.#area(own) * streamBankBytes(costs, own);
    const one = bytesOf(this.#options.parameters);
    if (one === 0) return Infinity;
    const left = sessions.reduce((rest, own) => rest - bytesOf(own), costs.bank?.limit ?? 0);
    return Math.max(0, Math.floor(left / one));
  }

  /** Returns the area relative to the default size, at which costs were measured: costs grow with it. */
  #area({ width, height }: StreamParameters): number {
    const { parameters: usual } = this.#options;
    return (width * height) / (usual.width * usual.height);
  }
}

/**
 * Divides the time of one resource that every frame needs, if there is too little for `fps` frames per second of each.
 * @param frameMs milliseconds per frame, for each stream.
 * @param also milliseconds per second that something else needs.
 * @returns frames per second of each; null for no limit.
 */
function mostFrames(
  frameMs: readonly number[],
  { fps, also }: { readonly fps: number; readonly also: number },
): readonly (number | null)[] {
  const needs = frameMs.map((ms) => ms * fps);
  const level = fairLevel(also > 0 ? [...needs, also] : needs, 1000);
  return frameMs.map((ms) => (ms * fps > level ? level / ms : null));
}

/** Returns the parameters whose rows take the steered U-Net. */
function steeringOf({ controls, attention_bank_frames }: StreamParameters): Partial<StreamParameters> {
  return { controls, attention_bank_frames };
}

/**
 * Returns what makes the call of a frame too long.
 * @param present parameters before, of the same size; null if the size is why.
 * @param isSteering whether controls or the attention bank are, and not guidance.
 */
function longCall(
  { width, height, cfg_type, attention_bank_frames: frames }: StreamParameters,
  present: StreamParameters | null,
  isSteering: boolean,
): { readonly field: ParameterName; readonly cause: string; readonly remedy: string } {
  if (present === null) return { field: width >= height ? 'width' : 'height', cause: '', remedy: '' };
  if (isSteering) {
    const field = frames > present.attention_bank_frames ? 'attention_bank_frames' : 'controls';
    return { field, cause: ' with controls or an attention bank', remedy: 'none of them or ' };
  }
  const field = cfg_type === present.cfg_type ? 'guidance_scale' : 'cfg_type';
  return { field, cause: ' with negative rows', remedy: 'less guidance or ' };
}

/** Returns a time in seconds, for people. */
function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function leastOf(a: number | null, b: number | null): number | null {
  return a === null ? b : Math.min(a, b ?? Infinity);
}
