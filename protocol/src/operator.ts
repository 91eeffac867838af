/**
 * What a server tells those who run it: the answer of `GET /v1/admin/overview`, which /dashboard shows. No part of the
 * protocol between clients and servers. Times in milliseconds, points in time since 1970.
 */
export interface Overview {
  /** Now, by the server's clock. */
  readonly time: number;
  /** What the one who asks may see and do. */
  readonly role: 'reader' | 'admin';
  /** Whether a token makes an admin. */
  readonly adminToken: boolean;
  /** Whether the last pictures of sessions can be asked for. */
  readonly thumbnails: boolean;
  /** Name and version of the software. */
  readonly server: string;
  readonly model: { readonly name: string; readonly description: string };
  readonly engine: {
    readonly state: 'starting' | 'ready' | 'restarting' | 'failed' | 'stopped';
    /** What its start is doing; null when it is not starting. */
    readonly doing: string | null;
    /** Null unless it is ready. */
    readonly device: string | null;
    /** Rows of U-Net calls that it can do in a second, as measured; null unless it is ready. */
    readonly rowsPerSecond: number | null;
  };
  readonly ready: boolean;
  readonly draining: boolean;
  /** What a session is promised; 0 for nothing. */
  readonly slo: { readonly fps: number; readonly latencySeconds: number };
  readonly counts: {
    readonly opening: number;
    readonly queued: number;
    readonly active: number;
    readonly parked: number;
    readonly closing: number;
    /** Sessions that can be served at the same time. */
    readonly slots: number;
    /** Sessions that are held to fewer frames than they are promised. */
    readonly limited: number;
  };
  /** The oldest, up to a bound; those that lost their connection come last. */
  readonly sessions: readonly SessionRow[];
  readonly history: History;
}

/** What an operator sees of one session: never what its user wrote, only how long that is. */
export interface SessionRow {
  readonly id: string;
  /** Parked ones have lost their connection, and wait for their clients. */
  readonly state: 'opening' | 'active' | 'parked' | 'closing' | 'closed';
  /** Where the client is; null where that is not known, or not for the one who asks. */
  readonly address: string | null;
  /** Null while it is parked. */
  readonly figures: RecentFigures | null;
  /** Frames a second that it is held to, since the engine has no time for more; null for any number. */
  readonly fpsLimit: number | null;
  /** What its stream does; null before it is open. */
  readonly stream: {
    readonly width: number;
    readonly height: number;
    readonly mode: string;
    /** Denoising steps. */
    readonly steps: number;
    readonly paused: boolean;
    /** Characters of all prompts together. */
    readonly promptLength: number;
  } | null;
  /** Whether there is a picture to be seen. */
  readonly picture: boolean;
}

/** How one session does now: over the last seconds; null where nothing was measured. */
export interface RecentFigures {
  /** Since the connection began. */
  readonly seconds: number;
  /** Frames received in a second. */
  readonly fpsIn: number;
  /** Results sent in a second. */
  readonly fpsOut: number;
  /** From the arrival of a frame to the sending of its result. */
  readonly latency: { readonly p50: number; readonly p95: number } | null;
  /** From the arrival of a frame until its result was acknowledged, median. */
  readonly staleness: number | null;
  /** Frames in all that were received. */
  readonly received: number;
  /** Results in all that were sent. */
  readonly sent: number;
  /** Frames in all that were lost; those that were skipped as similar, or gave way to newer ones, are not. */
  readonly lost: number;
}

/** Curves over the last minutes. */
export interface History {
  /** Rising. */
  readonly times: readonly number[];
  /** One value for each time, by the name of the curve. */
  readonly series: Readonly<Record<string, readonly (number | null)[]>>;
}
