import type { ParameterUpdate } from '@millrace/client';

/** The behaviour of each session of a load. */
export interface Behaviour {
  /** Of the server. */
  readonly url: string;
  readonly token: string | undefined;
  readonly parameters: ParameterUpdate;
  /** Frames a second of its camera. */
  readonly fps: number;
  /** JPEGs, repeated without end. */
  readonly pictures: readonly Uint8Array[];
}

/** The part of a load that one process plays. */
export interface Share extends Behaviour {
  /** Numbers of its sessions, from 0. */
  readonly sessions: readonly number[];
  /** When the first session connects, in milliseconds since 1970. */
  readonly begin: number;
}

/** When a load is measured, in milliseconds since 1970: all sessions end at `end`. */
export interface Times {
  readonly measured: number;
  readonly end: number;
}

/** How a session ended: served to the end, still waiting then, refused, or cut off. */
export type Outcome = 'served' | 'waiting' | 'refused' | 'lost';

export interface SessionResult {
  readonly session: number;
  readonly outcome: Outcome;
  /** Why it was refused or lost. */
  readonly code: string | null;
  /** The same in words. */
  readonly message: string | null;
  /** From the start of connecting until the stream was open, or the end of the wait. */
  readonly waitSeconds: number;
  /** Seconds of the measurement in which the stream was open. */
  readonly seconds: number;
  readonly sent: number;
  /** Milliseconds from the capture of a frame to the display of its result, for each displayed result. */
  readonly latencies: readonly number[];
  /** Frames without a result, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
}
