import type { ParameterUpdate } from '@millrace/protocol';
import type { ProviderStatus } from '../../engine/device.js';
import type { CostCurve } from '../../engine/costs.js';

/** The findings of `millrace doctor`, as `--json` prints them. */
export interface DoctorReport {
  readonly version: string;
  readonly system: {
    readonly node: string;
    readonly platform: string;
    readonly processor: string;
    readonly cores: number;
    /** The cores that affinity and the quota of a container leave to this process. */
    readonly usable_cores: number;
    /** CPU time that control groups allow, in processors; null if there is no quota. */
    readonly cpu_quota: number | null;
    /** Threads of one inference call on the processor. */
    readonly threads: number;
    readonly memory_bytes: number;
  };
  readonly model: ModelReport;
  readonly parts: readonly PartReport[];
  readonly checks: readonly Check[];
  readonly providers: readonly ProviderStatus[];
  /** Null if the engine could not be started: a check of level `bad` says why. */
  readonly performance: PerformanceReport | null;
}

export interface ModelReport {
  readonly name: string;
  readonly folder: string;
  /** The kind of model, in words: `Stable Diffusion XL, predicts epsilon`. */
  readonly kind: string;
  readonly size: {
    readonly default: readonly [number, number];
    readonly multiple_of: number;
    readonly fixed: boolean;
  };
  readonly latent: {
    readonly channels: number;
    readonly pixels: number;
    readonly scale: number;
    readonly shift: number;
  };
  readonly text: { readonly tokens: number; readonly width: number };
  readonly defaults: ParameterUpdate;
}

export interface PartReport {
  readonly part: string;
  readonly file: string;
  readonly bytes: number;
  readonly weights: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export interface Check {
  /** `ok` works; `note` works at a cost; `bad` does not work. */
  readonly level: 'ok' | 'note' | 'bad';
  readonly text: string;
}

export interface PerformanceReport {
  readonly device: string;
  /** When the costs were measured (RFC 3339), and whether that was at an earlier start. */
  readonly calibration: { readonly at: string; readonly kept: boolean };
  /** Milliseconds of a U-Net call by its rows. */
  readonly unet: CostCurve;
  /** Milliseconds to encode and decode a picture. */
  readonly picture_ms: number;
  /** Milliseconds to encode and decode several in one call each. */
  readonly pictures: readonly { readonly pictures: number; readonly ms: number }[];
  readonly frames_per_second: number;
  /** How many sessions at the same time get `fps` frames a second each, with the model's default parameters. */
  readonly sessions: readonly { readonly fps: number; readonly sessions: number }[];
}
