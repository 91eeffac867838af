import type { UnderstoodPrompt } from '@millrace/protocol';
import type { WorkerTimings } from '../../engine/messages.js';
import type { MediaStream } from '../../video/media-info.js';
import { percentile } from '../percentile.js';
import { countedNames } from './folder.js';
import type { OutputFrame } from './generate.js';
import type { Input } from './input.js';
import type { Output } from './output.js';

/** What `--json` prints. Times in milliseconds; stages are means per generated frame, `read` and `write` per frame. */
export interface Report {
  readonly frames_in: number;
  readonly frames_out: number;
  /** Frames of a live input that a newer one replaced before it was their turn. */
  readonly dropped: number;
  /** Whether the input is live: it has no end, or its frames do not wait. */
  readonly live: boolean;
  /** Whether the user ended it before the input did. */
  readonly interrupted: boolean;
  /** What the model made of each prompt, in their order. */
  readonly prompts: readonly UnderstoodPrompt[];
  /** Frames that were too similar to the one before, and repeat its picture. */
  readonly skipped: number;
  /** The fault of a video that could only be decoded in part; null if there was none. */
  readonly damage: string | null;
  /** Files of a folder that could not be read as pictures. */
  readonly passed_over: readonly string[];
  /** Tracks of a video that had to be encoded, and those that the output does not have. */
  readonly converted: readonly (TrackName & { readonly to: string })[];
  readonly left_out: readonly (TrackName & { readonly reason: string })[];
  /** Other remarks on the output. */
  readonly notes: readonly string[];
  readonly fps: number;
  /** From the push of a frame to its result. */
  readonly latency_ms: { readonly p50: number; readonly p95: number };
  readonly stage_ms: Readonly<Record<(typeof stageNames)[number], number>>;
}

const stageNames = ['read', 'queue', 'encode', 'denoise', 'decode', 'write'] as const;

/** A track by its place in the input, counted from 0. */
interface TrackName {
  readonly track: number;
  readonly type: string;
  readonly codec: string;
}

/** What is only known at the end, besides the figures. */
export interface Ending extends Pick<Report, 'live' | 'interrupted' | 'prompts'>, Remarks {}

/** Remarks for the user, besides the figures. */
export interface Remarks extends Pick<Report, 'passed_over' | 'converted' | 'left_out' | 'notes'> {}

/** Collects what happened to the parts of the input that are not frames. */
export function remarksOf(
  { passedOver, video }: Pick<Input, 'passedOver' | 'video'>,
  { tracks, notes }: Pick<Output, 'tracks' | 'notes'>,
): Remarks {
  const name = ({ index, type, codec, tag }: MediaStream): TrackName => ({
    track: index,
    type,
    codec: codec === 'none' ? (tag ?? codec) : codec,
  });
  return {
    passed_over: passedOver,
    converted: tracks.kept.flatMap(({ stream, handling: { encoder } }) =>
      encoder === null ? [] : [{ ...name(stream), to: encoder }],
    ),
    left_out: tracks.left.map(({ stream, reason }) => ({ ...name(stream), reason })),
    notes: [...(video?.colour.note ? [video.colour.note] : []), ...notes],
  };
}

/** Formats the remarks as lines. */
export function remarkLines({ passed_over: passed, converted, left_out: left, notes }: Remarks): string[] {
  const name = ({ track, type, codec }: TrackName): string => `${type} track ${track} (${codec})`;
  return [
    ...(passed.length > 0 ? [`passed over ${countedNames(passed)}`] : []),
    ...converted.map((track) => `${name(track)} was encoded again, by ${track.to}`),
    ...left.map((track) => `${name(track)} was left out: ${track.reason}`),
    ...notes,
  ];
}

/** Gathers the figures of a run. */
export class Figures {
  readonly #startedAt = performance.now();
  readonly #latencies: number[] = [];
  readonly #sums = new Map<string, number>();
  #frames = 0;
  #dropped = 0;
  #damage: string | null = null;

  get frames(): number {
    return this.#frames;
  }

  /** Milliseconds since the start. */
  get elapsed(): number {
    return performance.now() - this.#startedAt;
  }

  /** @param write milliseconds to write the frame. */
  add({ read, made }: OutputFrame, write: number): void {
    this.#frames++;
    const stages = { read, write, ...(made && stagesOf(made.timings)) };
    for (const [stage, ms] of Object.entries(stages))
      this.#sums.set(stage, (this.#sums.get(stage) ?? 0) + ms);
    if (made) this.#latencies.push(made.latency);
  }

  /** Counts a frame of the input that is not generated. */
  readonly drop = (): void => {
    this.#dropped++;
  };

  /** Records that the input could only be decoded in part. */
  readonly damaged = (words: string): void => {
    this.#damage = words;
  };

  report(ending: Ending): Report {
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    const generated = sorted.length;
    const stages = stageNames.map((stage) => {
      const count = stage === 'read' || stage === 'write' ? this.#frames : generated;
      return [stage, round((this.#sums.get(stage) ?? 0) / count)] as const;
    });
    return {
      frames_in: this.#frames + this.#dropped,
      frames_out: this.#frames,
      dropped: this.#dropped,
      skipped: this.#frames - generated,
      damage: this.#damage,
      ...ending,
      fps: round((this.#frames / this.elapsed) * 1000),
      latency_ms: { p50: round(percentile(sorted, 0.5)), p95: round(percentile(sorted, 0.95)) },
      stage_ms: Object.fromEntries(stages) as Report['stage_ms'],
    };
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** The stages of a frame in the worker, by the names of the report. */
function stagesOf(timings: WorkerTimings): Omit<Report['stage_ms'], 'read' | 'write'> {
  const { queueMs, vaeEncodeMs, denoiseMs, vaeDecodeMs } = timings;
  return { queue: queueMs, encode: vaeEncodeMs, denoise: denoiseMs, decode: vaeDecodeMs };
}
