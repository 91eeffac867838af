import { percentile } from '../percentile.js';
import type { OutputFrame } from './generate.js';

/** What `--json` prints. Times in milliseconds; stages are means per generated frame, `read` and `write` per frame. */
export interface Report {
  readonly frames_in: number;
  readonly frames_out: number;
  /** Frames that were too like the one before, and repeat its picture. */
  readonly skipped: number;
  /** What was wrong with a video that could be decoded in part; null if nothing. */
  readonly damage: string | null;
  readonly fps: number;
  /** From a frame's being handed to the engine to its result. */
  readonly latency_ms: { readonly p50: number; readonly p95: number };
  readonly stage_ms: Readonly<Record<(typeof STAGES)[number], number>>;
}

const STAGES = ['read', 'queue', 'encode', 'denoise', 'decode', 'write'] as const;

/** Gathers the figures of a run. */
export class Figures {
  readonly #startedAt = performance.now();
  readonly #latencies: number[] = [];
  readonly #sums = new Map<string, number>();
  #frames = 0;
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
    const stages = { read, write, ...made?.timings };
    for (const [stage, ms] of Object.entries(stages))
      this.#sums.set(stage, (this.#sums.get(stage) ?? 0) + ms);
    if (made) this.#latencies.push(made.latency);
  }

  /** The input could be decoded in part. */
  damaged(words: string): void {
    this.#damage = words;
  }

  report(): Report {
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    const generated = sorted.length;
    const stages = STAGES.map((stage) => {
      const count = stage === 'read' || stage === 'write' ? this.#frames : generated;
      return [stage, round((this.#sums.get(stage) ?? 0) / count)] as const;
    });
    return {
      frames_in: this.#frames,
      frames_out: this.#frames,
      skipped: this.#frames - generated,
      damage: this.#damage,
      fps: round((this.#frames / this.elapsed) * 1000),
      latency_ms: { p50: round(percentile(sorted, 0.5)), p95: round(percentile(sorted, 0.95)) },
      stage_ms: Object.fromEntries(stages) as Report['stage_ms'],
    };
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
