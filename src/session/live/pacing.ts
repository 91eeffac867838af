import type { StreamParameters } from '@millrace/protocol';
import type { GrantLimits } from '../access/grant.js';
import type { Outlet } from '../wire/outlet.js';
import type { Session } from './session.js';

/** Without a frame for so long, in milliseconds, a stream wants nothing of the engine. */
const quietMs = 10_000;
/** A share that has changed by less than this part is left as it was. */
const deadband = 0.1;

/** Holds the frames of a session to what its token allows and to its share of an overloaded engine. */
export class Pacing {
  readonly #session: Session;
  readonly #outlet: Outlet;
  #allowed = Infinity;
  #share: number | null = null;

  constructor(session: Session, outlet: Outlet) {
    this.#session = session;
    this.#outlet = outlet;
  }

  /** What the stream asks for. */
  get parameters(): StreamParameters {
    return this.#session.parameters;
  }

  /** How many milliseconds a picture of the stream takes to decode. */
  get decodeMs(): number {
    return this.#session.frames.decodeMs;
  }

  /** Whether frames have flowed of late, and may flow. */
  get flows(): boolean {
    return !this.parameters.paused && performance.now() - this.#session.frames.lastActivity < quietMs;
  }

  /** Frames a second that it is held to, fewer than it is promised; null if it is not. */
  get limit(): number | null {
    return this.#share;
  }

  /** @param grant what the token allows. */
  allow({ fps = Infinity }: GrantLimits): void {
    this.#allowed = fps;
    this.#apply();
  }

  /** @param fps frames a second that the engine has for this session; null for any number. The client is told. */
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
