import type { StreamParameters } from '@millrace/protocol';
import type { GrantLimits } from '../access/grant.js';
import type { Outlet } from '../wire/outlet.js';
import type { Session } from './session.js';

/** Without a frame for this long, in milliseconds, a stream needs nothing from the engine. */
const quietMs = 10_000;
/** Smaller relative changes of a share are ignored. */
const deadband = 0.1;

/** Limits the frames of a session to what its token allows and to its share of an overloaded engine. */
export class Pacing {
  readonly #session: Session;
  readonly #outlet: Outlet;
  #allowed = Infinity;
  #share: number | null = null;

  constructor(session: Session, outlet: Outlet) {
    this.#session = session;
    this.#outlet = outlet;
  }

  /** The parameters of the stream. */
  get parameters(): StreamParameters {
    return this.#session.parameters;
  }

  /** Milliseconds that a picture of the stream takes to decode. */
  get decodeMs(): number {
    return this.#session.frames.decodeMs;
  }

  /** Whether frames have flowed recently, and may flow. */
  get flows(): boolean {
    return !this.parameters.paused && performance.now() - this.#session.frames.lastActivityAt < quietMs;
  }

  /** Frames per second that it is limited to, below the SLO; null for no limit. */
  get limit(): number | null {
    return this.#share;
  }

  /** Applies the limits of a token. */
  allow({ fps = Infinity }: GrantLimits): void {
    this.#allowed = fps;
    this.#apply();
  }

  /** Limits the session to its share of the engine, and reports that to the client. @param fps null for no limit. */
  share(fps: number | null): void {
    if (fps === this.#share) return;
    if (fps !== null && this.#share !== null && Math.abs(fps / this.#share - 1) < deadband) return;
    this.#share = fps;
    this.#apply();
    this.#outlet.send({ type: 'quality', fps: fps && Math.round(fps * 100) / 100 });
  }

  #apply(): void {
    const limit = Math.min(this.#allowed, this.#share ?? Infinity);
    this.#session.frames.limit(limit === Infinity ? null : limit);
  }
}
