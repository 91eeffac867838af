import type { Metrics } from '../../metrics/metrics.js';
import { ProtocolError } from '../wire/protocol-error.js';

/** Somebody who sees the results of a session besides its owner. */
export interface Viewer {
  /** Takes a JPEG. Never waits: a picture that cannot be sent yet is replaced by the next. */
  show(picture: Uint8Array): void;
  /** Called when the session has ended. */
  end(): void;
}

export interface AudienceLimits {
  /** Viewers of one session at the same time; 0 if nobody may watch. */
  readonly perSession: number;
  /** Viewers of all sessions at the same time. */
  readonly perServer: number;
}

/** After this time without a new picture, the last is sent again: proxies and viewers would give up. */
const repeatMs = 10_000;

/** The viewers of all sessions of one server. */
export class Audiences {
  readonly limits: AudienceLimits;
  readonly #metrics: Pick<Metrics, 'viewers'>;
  #present = 0;

  constructor(limits: AudienceLimits, metrics: Pick<Metrics, 'viewers'>) {
    this.limits = limits;
    this.#metrics = metrics;
  }

  /** Takes a place for a viewer. @throws {ProtocolError} too_many_viewers */
  enter(): void {
    const { perServer } = this.limits;
    if (this.#present >= perServer) {
      throw new ProtocolError(
        'too_many_viewers',
        `This server has no more room for viewers: at most ${perServer} (maxViewers).`,
      );
    }
    this.#count(1);
  }

  leave(): void {
    this.#count(-1);
  }

  #count(change: number): void {
    this.#present += change;
    this.#metrics.viewers(this.#present);
  }
}

/** The viewers of one session. All get the pictures as they were encoded for its owner. */
export class Audience {
  readonly #all: Audiences;
  readonly #viewers = new Set<Viewer>();
  #invited = false;
  #ended = false;
  #picture: Uint8Array | null = null;
  #shownAt = 0;
  #repeating: NodeJS.Timeout | undefined;

  constructor(all: Audiences) {
    this.#all = all;
  }

  /** Keeps the last picture from now on, so that viewers see something as soon as they come. */
  invite(): void {
    this.#invited = true;
  }

  /** Shows a result, a JPEG, to all who watch. */
  show(picture: Uint8Array): void {
    if (!this.#invited) return;
    this.#picture = picture;
    this.#shownAt = performance.now();
    for (const viewer of this.#viewers) viewer.show(picture);
  }

  /**
   * Shows the results to a viewer from now on.
   * @returns a function that ends this; it may be called twice.
   * @throws {ProtocolError} too_many_viewers, or not_found if the session has ended.
   */
  join(viewer: Viewer): () => void {
    const { perSession } = this.#all.limits;
    if (this.#ended) throw new ProtocolError('not_found', 'The session has ended.');
    if (this.#viewers.size >= perSession) {
      throw new ProtocolError(
        'too_many_viewers',
        `This session has no more room for viewers: at most ${perSession} (maxViewersPerSession).`,
      );
    }
    this.#all.enter();
    // For a session that came from another server, the link was made there.
    this.#invited = true;
    this.#viewers.add(viewer);
    this.#repeating ??= setInterval(() => this.#repeat(), repeatMs).unref();
    if (this.#picture) viewer.show(this.#picture);
    return () => this.#leave(viewer);
  }

  /** Lets all viewers go: the session has ended. */
  close(): void {
    this.#ended = true;
    this.#picture = null;
    for (const viewer of this.#viewers) {
      this.#leave(viewer);
      viewer.end();
    }
  }

  #leave(viewer: Viewer): void {
    if (!this.#viewers.delete(viewer)) return;
    this.#all.leave();
    if (this.#viewers.size > 0) return;
    clearInterval(this.#repeating);
    this.#repeating = undefined;
  }

  #repeat(): void {
    if (this.#picture && performance.now() - this.#shownAt >= repeatMs) this.show(this.#picture);
  }
}
