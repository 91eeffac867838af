import { connect, type MillraceStream } from '@millrace/client';
import { WebSocket } from 'ws';

/** Drops of a stream that keeps up with its camera; any other drop is a lost frame. */
const paced: ReadonlySet<string> = new Set(['superseded', 'similar', 'no_credit', 'unread', 'stale']);
const style = 'pencil sketch';

/** A user of the fleet with the JavaScript client: a camera with a steady rate, and notes of what went wrong. */
export class Viewer implements AsyncDisposable {
  readonly stream: MillraceStream;
  readonly #seed: number;
  readonly #camera: NodeJS.Timeout | undefined;
  #lastResultAt = performance.now();
  #longestGapMs = 0;
  /** Whether it has moved since the last result. */
  #moving = false;
  #newestShown = -1;
  /** Frames that were sent and got no result. */
  lost = 0;
  /** Results that were shown after the one of a later frame, or twice. */
  shownAgain = 0;
  /** Longest time without a result in which it moved, in milliseconds. */
  longestMoveMs = 0;
  /** How often another server, or the same one, went on with the stream. */
  resumed = 0;
  /** How often the stream started over. */
  restarted = 0;
  /** When it last moved, by `performance.now()`; -Infinity if it did not. */
  movedAt = -Infinity;
  /** Why the stream ended, if it did. */
  ended: Error | undefined;

  private constructor(stream: MillraceStream, seed: number, picture: Uint8Array | null, intervalMs: number) {
    this.stream = stream;
    this.#seed = seed;
    stream.on('result', ({ id }) => this.#note(id));
    stream.on('dropped', ({ reason }) => {
      if (!paced.has(reason)) this.lost += 1;
    });
    stream.on('reconnected', ({ resumed }) => {
      if (resumed) this.resumed += 1;
      else this.restarted += 1;
      this.movedAt = performance.now();
      this.#moving = true;
    });
    stream.on('close', ({ error }) => (this.ended = error));
    if (picture === null) return;
    this.#camera = setInterval(() => {
      if (!stream.closed) stream.send(picture);
    }, intervalMs);
  }

  /** @param picture that the camera sees; null sends none. */
  static async open(
    url: string,
    seed: number,
    picture: Uint8Array | null = null,
    intervalMs = 400,
  ): Promise<Viewer> {
    const parameters = { width: 64, height: 64, prompt: 'oil painting', seed };
    const stream = await connect(url, { webSocket: WebSocket, parameters, reconnectSeconds: 120 });
    await stream.update({ prompt: style });
    return new Viewer(stream, seed, picture, intervalMs);
  }

  /** Frames that were sent and have no answer yet. */
  get underWay(): number {
    const { sent, consumed, dropped } = this.stream.stats();
    const { no_credit: _unsent = 0, ...others } = dropped;
    return Object.values(others).reduce((rest, count) => rest - count, sent - consumed);
  }

  get moves(): number {
    return this.resumed + this.restarted;
  }

  /** Whether the style that was set on the way, and the seed, are those that the server uses. */
  get unchanged(): boolean {
    const { prompt, seed } = this.stream.parameters;
    return prompt === style && seed === this.#seed;
  }

  /** Longest time without a result since `forget`, in milliseconds. */
  get longestGapMs(): number {
    return Math.max(this.#longestGapMs, performance.now() - this.#lastResultAt);
  }

  /** Forgets everything so far. */
  forget(): void {
    this.lost = 0;
    this.shownAgain = 0;
    this.resumed = 0;
    this.restarted = 0;
    this.movedAt = -Infinity;
    this.longestMoveMs = 0;
    this.#longestGapMs = 0;
    this.#lastResultAt = performance.now();
  }

  /** Waits for a result of a frame that is sent from now on. @throws the error that ended the stream. */
  async fresh(): Promise<void> {
    if (this.stream.closed) throw this.ended ?? new Error('closed');
    const since = performance.now();
    await new Promise<void>((resolve, reject) => {
      const stops = [
        this.stream.on('result', ({ captured }) => captured >= since && finish(resolve)),
        this.stream.on('close', ({ error }) => finish(() => reject(error ?? new Error('closed')))),
      ];
      const finish = (then: () => void): void => {
        for (const stop of stops) stop();
        then();
      };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#camera);
    await this.stream.close();
  }

  #note(id: number): void {
    if (id <= this.#newestShown) this.shownAgain += 1;
    this.#newestShown = id;
    const now = performance.now();
    const gapMs = now - this.#lastResultAt;
    this.#longestGapMs = Math.max(this.#longestGapMs, gapMs);
    if (this.#moving) this.longestMoveMs = Math.max(this.longestMoveMs, gapMs);
    this.#moving = false;
    this.#lastResultAt = now;
  }
}
