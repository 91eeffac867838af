import type { ParameterUpdate, StreamParameters } from '@millrace/protocol';
import { deferred } from '../engine/deferred.js';
import { ParameterError, type Engine, type GeneratedImage, type StreamListener } from '../engine/engine.js';
import { encodeJpeg } from '../image/encode.js';
import type { Capacity } from './admission/capacity.js';
import { checkGrant, type Grant, type GrantLimits } from './access/grant.js';
import type { Sessions } from './live/sessions.js';
import { RecentEntries } from './time/recent-entries.js';
import { TokenBucket } from './time/token-bucket.js';
import type { ParameterRules } from './live/parameter-rules.js';
import { ProtocolError } from './wire/protocol-error.js';

export interface OneShotOptions {
  readonly engine: Engine;
  readonly rules: ParameterRules;
  /** All sessions: where a token limits sessions, images count too. */
  readonly sessions: Pick<Sessions, 'count' | 'expect'>;
  readonly capacity: Pick<Capacity, 'checkCall'>;
  /** Images that may be generated at the same time; a caller may have half of them. */
  readonly most: number;
  /** Images that one caller may request per minute, also in one burst. */
  readonly perMinute: number;
}

interface Rate {
  readonly perSecond: number;
  /** Images that may be requested at once. */
  readonly burst: number;
  readonly inWords: string;
}

/** The client that asks for an image. */
export interface Caller {
  /** The user, or the address if no token is required: each has separate limits. */
  readonly name: string;
  readonly grant: Grant;
  /** Aborts when the client is gone; its image is then abandoned. */
  readonly gone: AbortSignal;
  /** Called if the safety checker flagged the image, which is then blurred. */
  readonly onFlagged?: (() => void) | undefined;
}

/** An image that is being generated, or was. */
interface Job {
  readonly parameters: StreamParameters;
  readonly caller: string;
  /** When it was finished or abandoned, by `performance.now()`; null before. */
  end: number | null;
}

/** All images together get the engine time of one stream. */
const account = 'images';

/** Generates single images from noise (txt2img), each as a stream of one frame. */
export class OneShot {
  readonly #options: OneShotOptions;
  /** By caller and rate: tokens of the same user may differ in their rate. */
  readonly #rates = new RecentEntries<TokenBucket>((bucket) => bucket.full);
  #jobs: Job[] = [];

  constructor(options: OneShotOptions) {
    this.#options = options;
  }

  /** Returns the parameters of the images that were being generated within the last `ms` milliseconds. */
  recent(ms: number): readonly StreamParameters[] {
    const since = performance.now() - ms;
    this.#jobs = this.#jobs.filter(({ end }) => end === null || end >= since);
    return this.#jobs.map(({ parameters }) => parameters);
  }

  /**
   * @param update parameters as sent by a client; missing ones get the model's defaults.
   * @returns a JPEG file.
   * @throws {ParameterError} if the parameters are invalid.
   * @throws {ProtocolError} rate_limited, limit_exceeded, not_ready, too_many_sessions, engine_failed,
   *   generation_failed
   * @throws {Error} if the caller is gone.
   */
  async generate(update: unknown, { name, grant, gone, onFlagged }: Caller): Promise<Uint8Array> {
    const { engine, rules, sessions, capacity } = this.#options;
    const rate = this.#rateOf(grant.limits);
    const { perSecond, burst, inWords } = rate;
    const bucket = this.#rates.of(`${perSecond} ${name}`, () => new TokenBucket(perSecond, burst));
    if (!bucket.take()) {
      throw new ProtocolError('rate_limited', `more than ${inWords}`, {}, { retryAfter: bucket.wait });
    }
    const changes: ParameterUpdate = rules.check(update);
    const parameters = { ...rules.defaults, ...changes, mode: 'txt2img' } as const;
    checkGrant(grant.limits, parameters);
    capacity.checkCall(parameters);
    if (engine.state.name !== 'ready') throw new ProtocolError('not_ready');
    this.#checkRoom(name, grant);
    const job: Job = { parameters, caller: name, end: null };
    this.#jobs.push(job);
    const forget = sessions.expect(grant.subject);
    try {
      return await firstResult(engine, parameters, { gone, onFlagged });
    } finally {
      job.end = performance.now();
      forget();
    }
  }

  /** @throws {ProtocolError} too_many_sessions */
  #checkRoom(caller: string, { subject, limits }: Grant): void {
    const { most, sessions } = this.#options;
    const { sessions: allowed = Infinity } = limits;
    if (sessions.count(subject) >= allowed) {
      throw new ProtocolError(
        'too_many_sessions',
        'the token allows no further session or image at the same time',
      );
    }
    const running = this.#jobs.filter(({ end }) => end === null);
    const own = running.filter((job) => job.caller === caller);
    if (running.length >= most || own.length >= Math.ceil(most / 2)) {
      throw new ProtocolError(
        'too_many_sessions',
        'too many images are being generated; try again in a moment',
      );
    }
  }

  /** Returns the rate limit of a caller: if the token limits frames, an image counts as one. */
  #rateOf({ fps }: GrantLimits): Rate {
    const { perMinute } = this.#options;
    const perSecond = perMinute / 60;
    if (fps === undefined || fps >= perSecond) {
      return { perSecond, burst: perMinute, inWords: `${perMinute} images per minute` };
    }
    return { perSecond: fps, burst: Math.max(1, fps), inWords: `${fps} images per second` };
  }
}

async function firstResult(
  engine: Engine,
  parameters: StreamParameters,
  { gone, onFlagged }: Pick<Caller, 'gone' | 'onFlagged'>,
): Promise<Uint8Array> {
  const result = deferred<Uint8Array>();
  const fail = (): void => result.reject(engineFailure());
  const abandon = (): void => result.reject(new Error('the client is gone'));
  const listener: StreamListener = {
    onAdmitted: () => {},
    onDropped: (_frame, reason) =>
      result.reject(reason === 'failed' ? new ProtocolError('generation_failed') : engineFailure()),
    async onResult(_frame, image: GeneratedImage) {
      if (image.flagged) onFlagged?.();
      // The engine gets its pixels back when encoding has finished or failed.
      await encodeJpeg(image, parameters.quality).then(
        (file) => result.resolve(file),
        (error: Error) => result.reject(error),
      );
    },
    onRestart: fail,
    onClosed: fail,
  };
  const stream = await engine.openStream(parameters, listener, { account }).catch((error: unknown) => {
    throw error instanceof ParameterError ? error : engineFailure();
  });
  gone.addEventListener('abort', abandon);
  if (gone.aborted) abandon();
  try {
    if (!gone.aborted) stream.push(0, { image: null }, { replace: false });
    return await result.promise;
  } finally {
    gone.removeEventListener('abort', abandon);
    stream.close();
  }
}

function engineFailure(): ProtocolError {
  return new ProtocolError('engine_failed');
}
