import { styleImageBytes, type ParameterUpdate } from '@millrace/protocol';
import { ParameterError } from '../../engine/engine.js';
import type { Capacity } from '../admission/capacity.js';
import { checkGrant, type Grant } from '../access/grant.js';
import type { Outlet } from '../wire/outlet.js';
import type { ParameterRules } from './parameter-rules.js';
import { ProtocolError, type ErrorDetails } from '../wire/protocol-error.js';
import type { Message } from '../wire/client-message.js';
import type { Session } from './session.js';
import { withStyleName, type StyleImages } from './style-images.js';
import { TokenBucket } from '../time/token-bucket.js';

export interface UpdateQueueOptions {
  readonly rules: ParameterRules;
  readonly capacity: Pick<Capacity, 'checkCall'>;
  readonly styleImages: StyleImages;
  readonly updatesPerSecond: number;
  readonly outlet: Outlet;
  /** What the client may do now. */
  readonly grant: () => Grant;
  /** Reports to the client why an update was refused. */
  readonly refuse: (error: unknown, details: ErrorDetails) => void;
  /** Called when an update is in force and was reported to the client. */
  readonly updated: () => Promise<void>;
  /** No update is applied once this has aborted. */
  readonly gone: AbortSignal;
}

/**
 * Applies the updates of one connection one after another, each to the outcome of the one before, even if that came
 * from a connection that was lost.
 */
export class UpdateQueue {
  readonly #options: UpdateQueueOptions;
  readonly #bucket: TokenBucket;
  #lastAt = 0;
  #waiting = 0;
  /** Bytes of the style images of waiting updates. */
  #waitingBytes = 0;

  constructor(options: UpdateQueueOptions) {
    this.#options = options;
    this.#bucket = new TokenBucket(options.updatesPerSecond);
    options.gone.addEventListener('abort', () => options.styleImages.forget(this));
  }

  /** When a valid update last came, by `performance.now()`. */
  get lastAt(): number {
    return this.#lastAt;
  }

  put(session: Session, { request, parameters }: Message<'update'>): void {
    const { rules, updatesPerSecond, refuse } = this.#options;
    try {
      if (!this.#bucket.take()) {
        throw new ProtocolError('rate_limited', `more than ${updatesPerSecond} updates per second`);
      }
      if (this.#waiting >= updatesPerSecond) {
        throw new ProtocolError(
          'rate_limited',
          `more than ${updatesPerSecond} updates are waiting to be applied`,
        );
      }
      const update = rules.check(parameters);
      const bytes = update.style_image?.length ?? 0;
      if (this.#waitingBytes + bytes > styleImageBytes) {
        throw new ProtocolError(
          'rate_limited',
          `style images of more than ${styleImageBytes} bytes together are waiting to be applied`,
        );
      }
      this.#lastAt = performance.now();
      this.#waiting += 1;
      this.#waitingBytes += bytes;
      void session
        .queue(() => this.#apply(session, request, update))
        .catch((error: unknown) => refuse(error, { request }))
        .finally(() => {
          this.#waiting -= 1;
          this.#waitingBytes -= bytes;
        });
    } catch (error) {
      refuse(error, { request });
    }
  }

  async #apply(session: Session, request: number, sent: ParameterUpdate): Promise<void> {
    const { capacity, styleImages, grant, outlet, updated, gone } = this.#options;
    if (gone.aborted) return;
    const update = await styleImages.prepare(sent, this, session.parameters.style_image);
    if (gone.aborted) return;
    const parameters = { ...session.parameters, ...update };
    checkGrant(grant().limits, parameters);
    capacity.checkCall(parameters, session.parameters);
    let from: number;
    try {
      from = await session.configure(parameters);
    } catch (error) {
      if (error instanceof ParameterError) throw error;
      return outlet.report(
        'engine_restarting',
        'the update was lost because the engine failed',
        { request },
        error,
      );
    }
    if (gone.aborted) return;
    outlet.meter.updated();
    const { understood } = session.frames;
    const inForce = { parameters: withStyleName(parameters), ...(understood && { understood }) };
    outlet.send({ type: 'updated', request, from, ...inForce });
    await updated();
  }
}
