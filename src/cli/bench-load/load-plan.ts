import type { ParameterUpdate } from '@millrace/client';

/** What each session of a load does. */
export interface Behaviour {
  /** Of the server. */
  readonly url: string;
  readonly token: string | undefined;
  readonly parameters: ParameterUpdate;
  /** Frames that its camera takes in a second. */
  readonly fps: number;
  /** JPEGs, shown over and over. */
  readonly pictures: readonly Uint8Array[];
}

/** The part of a load that one process carries. */
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

/** What became of a session: it was served to the end, still waited then, never got in, or was cut off. */
export type Outcome = 'served' | 'waiting' | 'refused' | 'lost';

export interface SessionResult {
  readonly session: number;
  readonly outcome: Outcome;
  /** Why it was refused or lost. */
  readonly code: string | null;
  /** The same in words. */
  readonly message: string | null;
  /** From the wish to connect until the stream was open, or the end of the wait. */
  readonly waitSeconds: number;
  /** Of the time that is measured, as long as the stream was open. */
  readonly seconds: number;
  readonly sent: number;
  /** Milliseconds from the capture of a frame to the display of its result, of each that was displayed. */
  readonly latencies: readonly number[];
  /** Frames without a result, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
}
