import type { ErrorCode } from './errors.js';
import type { Limits } from './messages/index.js';

/** Words that a model knows. */
export interface Style {
  readonly name: string;
  /** What to write: a whole prompt for a style, a part of one for a mood. */
  readonly prompt: string;
  /** What pictures look like with it, in a few words. */
  readonly description?: string;
  /** The parameters that suit it; absent: the defaults do. */
  readonly steps?: number;
  readonly strength?: number;
}

/** The answer to `GET /v1/styles`: what prompts can name; empty for a model that takes any words. */
export interface Styles {
  readonly styles: readonly Style[];
  /** Colours and light, which can be added to each style. */
  readonly moods: readonly Style[];
}

/**
 * What a frame costs the server at the model's default size, by its calibration and the present load; costs grow with
 * the area of the picture.
 */
export interface FrameCosts {
  readonly width: number;
  readonly height: number;
  /** Milliseconds to encode and decode the picture. */
  readonly picture_ms: number;
  /** Milliseconds of one denoising step without guidance. */
  readonly step_ms: number;
  /** Largest picture, width times height, by calibration alone: larger ones are refused; absent for no limit. */
  readonly most_pixels?: number;
}

/** The answer to `GET /v1/capabilities`: all that a client needs to build its controls. */
export interface Capabilities {
  /** WebSocket subprotocol. */
  readonly protocol: string;
  /** Name and version of the server software. */
  readonly server: string;
  readonly model: { readonly name: string; readonly description: string };
  /** Prompts that suit the model. */
  readonly styles: readonly Style[];
  /** JSON Schema (draft 2020-12) of the parameters in `hello` and `update`. */
  readonly parameters: object;
  readonly limits: Limits;
  /** Absent until the server has calibrated. */
  readonly frame_costs?: FrameCosts;
}

/** States of the inference engine. */
export type EngineStateName = 'starting' | 'ready' | 'restarting' | 'failed' | 'stopped';

/** The answer to `GET /readyz`: whether the server is ready for streams. */
export interface Readiness {
  readonly ready: boolean;
  readonly state: EngineStateName;
  /** Its current activity, for people. */
  readonly doing: string;
  /** Sessions that can be served at the same time, that are served, and that wait. */
  readonly sessions: { readonly slots: number; readonly served: number; readonly waiting: number };
}

/** The answer to `GET /healthz`: whether the process works; it may still be loading its model. */
export interface Health {
  readonly healthy: boolean;
  readonly state: EngineStateName;
}

/** The answer to `POST /v1/sessions/{id}/links`: where others can watch the results of a session. */
export interface ViewerLinks {
  /** Address of a page, relative to that of the server. */
  readonly view: string;
  /** Address of the pictures as Motion JPEG (multipart/x-mixed-replace), relative to that of the server. */
  readonly mjpeg: string;
  /** Seconds until the links can no longer be opened; viewers already there stay. */
  readonly expires_seconds: number;
}

/** The body of every HTTP refusal. */
export interface ErrorAnswer {
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    /** The parameter at fault. */
    readonly field?: string;
  };
}
