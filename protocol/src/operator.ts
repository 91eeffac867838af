import type { EngineStateName } from './http.js';
import type { Stage } from './messages/index.js';

/**
 * State of a server for its operators: the response of `GET /v1/admin/overview`, which /dashboard shows. Not part of
 * the protocol between clients and servers. Times are in milliseconds, points in time since 1970.
 */
export interface Overview {
  /** The current time of the server's clock. */
  readonly time: number;
  /** What the caller may see and do. */
  readonly role: 'reader' | 'admin';
  /** Whether an admin token is configured. */
  readonly adminToken: boolean;
  /** Seconds that the figures of sessions, and latencies and staleness of the history cover. */
  readonly windowSeconds: number;
  /** Whether the latest pictures of sessions are available. */
  readonly thumbnails: boolean;
  /** Name and version of the software. */
  readonly server: string;
  readonly model: { readonly name: string; readonly description: string };
  readonly engine: {
    readonly state: EngineStateName;
    /** The current step of its start; null if it is not starting. */
    readonly doing: string | null;
    /** Null unless it is ready. */
    readonly device: string | null;
    /** Measured throughput of U-Net calls in rows per second; null unless it is ready. */
    readonly rowsPerSecond: number | null;
  };
  readonly ready: boolean;
  readonly draining: boolean;
  /** The service level of each session; 0 for none. */
  readonly slo: { readonly fps: number; readonly latencySeconds: number };
  readonly counts: {
    readonly opening: number;
    readonly queued: number;
    readonly active: number;
    readonly parked: number;
    readonly closing: number;
    /** Sessions that can be served at the same time. */
    readonly slots: number;
    /** Sessions that are limited to fewer frames than their service level. */
    readonly limited: number;
  };
  /** The oldest ones, up to a maximum; those that lost their connection come last. */
  readonly sessions: readonly SessionRow[];
  readonly history: History;
}

/** What an operator sees of one session: never the text of its prompts, only their length. */
export interface SessionRow {
  readonly id: string;
  /** A parked session has lost its connection and waits for its client. */
  readonly state: 'opening' | 'active' | 'parked' | 'closing' | 'closed';
  /** Address of the client; null if it is unknown, or hidden from the caller. */
  readonly address: string | null;
  /** Null while it is parked. */
  readonly figures: RecentFigures | null;
  /** Frames per second that it is limited to because the engine has no time for more; null for no limit. */
  readonly fpsLimit: number | null;
  /** Settings of its stream; null before it is open. */
  readonly stream: {
    readonly width: number;
    readonly height: number;
    readonly mode: string;
    /** Denoising steps. */
    readonly steps: number;
    readonly paused: boolean;
    /** Total number of characters of all prompts. */
    readonly promptLength: number;
  } | null;
  /** Whether a picture is available. */
  readonly picture: boolean;
}

/** Recent figures of one session, over the last seconds; null if nothing was measured. */
export interface RecentFigures {
  /** Since the connection began. */
  readonly seconds: number;
  /** Frames received per second. */
  readonly fpsIn: number;
  /** Results sent per second. */
  readonly fpsOut: number;
  /** From the arrival of a frame to the sending of its result. */
  readonly latency: { readonly p50: number; readonly p95: number } | null;
  /** From the arrival of a frame until its result was acknowledged, median. */
  readonly staleness: number | null;
  /** Total number of frames received. */
  readonly received: number;
  /** Total number of results sent. */
  readonly sent: number;
  /** Total number of frames lost; not counting those skipped as similar or superseded by newer ones. */
  readonly lost: number;
}

/** Curves of what happened in the time before: per second, unless the name or a comment says otherwise. */
export type FlowCurve =
  | 'received'
  | 'generated'
  | 'sent'
  | 'lost'
  | 'skipped'
  | 'superseded'
  | 'bytes_in'
  | 'bytes_out'
  | 'rows'
  /** Share of the time, 0 to 1. */
  | 'engine_busy'
  | 'rows_per_call'
  | 'errors_per_minute'
  | 'refused_per_minute'
  | 'unauthorized_per_minute'
  | 'rate_limited_per_minute'
  | 'opened_per_minute'
  | 'resumed_per_minute'
  | 'closed_per_minute'
  | 'updates_per_minute'
  | 'restarts_per_minute'
  /** Processor cores in use. */
  | 'processor'
  /** Share of the time in which the main thread was busy, 0 to 1. */
  | 'main_thread';

/** Curves of the delays of frames, in milliseconds; of stages, the mean. */
export type DelayCurve = 'latency_p50' | 'latency_p95' | 'staleness_p95' | `stage_${Stage}`;

/** Curves of the current state: sessions, and bytes of buffers and memory. */
export type StateCurve = 'active' | 'parked' | 'limited' | 'queued' | 'slots' | 'buffered' | 'memory';

/** Curves of all GPUs together: share of the time, 0 to 1, and bytes. */
export type GpuCurve = 'gpu_utilization' | 'gpu_memory_used' | 'gpu_memory_total';

/** Curves of all processors of the machine, as shares of their time, 0 to 1: all programs, and what the host took. */
export type MachineCurve = 'machine_busy' | 'machine_steal';

export type CurveName = FlowCurve | DelayCurve | StateCurve | GpuCurve | MachineCurve;

/** Time series of the last minutes. */
export interface History {
  /** In ascending order. */
  readonly times: readonly number[];
  /** One value for each time, for each curve; no curves if there are no times. */
  readonly series: Readonly<Partial<Record<CurveName, readonly (number | null)[]>>>;
}
