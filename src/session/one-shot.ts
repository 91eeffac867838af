import { errors, type ParameterUpdate, type StreamParameters } from '@millrace/protocol';
import { deferred } from '../engine/deferred.js';
import { ParameterError, type Engine, type GeneratedImage, type StreamListener } from '../engine/engine.js';
import { encodeJpeg } from '../image/encode.js';
import { checkGrant, type Grant, type GrantLimits } from './access/grant.js';
import type { Seats } from './seats/seats.js';
import { RecentEntries } from './time/recent-entries.js';
import { TokenBucket } from './time/token-bucket.js';
import type { ParameterRules } from './wire/parameters.js';
import { ProtocolError } from './wire/protocol-error.js';

export interface OneShotOptions {
  readonly engine: Engine;
  readonly rules: ParameterRules;
  /** The sessions, beside which images count where a token limits how many there may be. */
  readonly seats: Pick<Seats, 'count' | 'expect'>;
  /** Images that may be in the making at the same time; a caller may have half of them. */
  readonly most: number;
  /** Images that one caller may ask for in a minute; as many may come at once. */
  readonly perMinute: number;
}

interface Rate {
  readonly perSecond: number;
  /** Images that may be asked for at once. */
  readonly burst: number;
  readonly inWords: string;
}

/** Who asks for an image. */
export interface Caller {
  /** The user, or where nobody signs in the address: limits hold for each by itself. */
  readonly name: string;
  readonly grant: Grant;
  /** Aborts when the client is gone; its image is then given up. */
  readonly gone: AbortSignal;
}

/** An image in the making, or one that was. */
interface Making {
  readonly parameters: StreamParameters;
  readonly caller: string;
  /** When it was finished or given up, by `performance.now()`; null while it is in the making. */
  end: number | null;
}

/** The engine's time is shared as if all images came from one stream, however many there are. */
const account = 'images';

/** Makes single images from noise (txt2img), each as a stream of one frame among the others. */
export class OneShot {
  readonly #options: OneShotOptions;
  /** By caller and rate: another token may allow another. */
  readonly #rates = new RecentEntries<TokenBucket>((bucket) => bucket.full);
  #makings: Making[] = [];

  constructor(options: OneShotOptions) {
    this.#options = options;
  }

  /** Returns the parameters of the images that were in the making within the last so many milliseconds. */
  recent(ms: number): readonly StreamParameters[] {
    const since = performance.now() - ms;
    this.#makings = this.#makings.filter(({ end }) => end === null || end >= since);
    return this.#makings.map(({ parameters }) => parameters);
  }

  /**
   * @param update parameters as a client sends them; what is left out has the model's defaults.
   * @returns a JPEG file.
   * @throws {ParameterError} if the parameters are invalid.
   * @throws {ProtocolError} rate_limited, limit_exceeded, not_ready, too_many_sessions, engine_failed,
   *   generation_failed
   * @throws {Error} if the caller is gone.
   */
  async generate(update: unknown, { name, grant, gone }: Caller): Promise<Uint8Array> {
    const { engine, rules, seats } = this.#options;
    const rate = this.#rateOf(grant.limits);
    const { perSecond, burst, inWords } = rate;
    const bucket = this.#rates.of(`${perSecond} ${name}`, () => new TokenBucket(perSecond, burst));
    if (!bucket.take()) {
      throw new ProtocolError('rate_limited', `more than ${inWords}`, {}, { retryAfter: bucket.wait });
    }
    const changes: ParameterUpdate = rules.check(update);
    const parameters = { ...rules.defaults, ...changes, mode: 'txt2img' } as const;
    checkGrant(grant.limits, parameters);
    if (engine.state.name !== 'ready') throw new ProtocolError('not_ready', errors.not_ready.meaning);
    this.#checkRoom(name, grant);
    const making: Making = { parameters, caller: name, end: null };
    this.#makings.push(making);
    const forget = seats.expect(grant.subject);
    try {
      return await firstResult(engine, parameters, gone);
    } finally {
      making.end = performance.now();
      forget();
    }
  }

  /** @throws {ProtocolError} too_many_sessions */
  #checkRoom(caller: string, { subject, limits }: Grant): void {
    const { most, seats } = this.#options;
    if (seats.count(subject) >= (limits.sessions ?? Infinity)) {
      throw new ProtocolError(
        'too_many_sessions',
        'the token allows no further session or image at the same time',
      );
    }
    const running = this.#makings.filter(({ end }) => end === null);
    const own = running.filter((making) => making.caller === caller);
    if (running.length >= most || own.length >= Math.ceil(most / 2)) {
      throw new ProtocolError(
        'too_many_sessions',
        'too many images are in the making; ask again in a moment',
      );
    }
  }

  /** An image counts like a frame where a token limits frames. */
  #rateOf({ fps }: GrantLimits): Rate {
    const { perMinute } = this.#options;
    const perSecond = perMinute / 60;
    if (fps === undefined || fps >= perSecond) {
      return { perSecond, burst: perMinute, inWords: `${perMinute} images in a minute` };
    }
    return { perSecond: fps, burst: Math.max(1, fps), inWords: `${fps} images a second` };
  }
}

async function firstResult(
  engine: Engine,
  parameters: StreamParameters,
  gone: AbortSignal,
): Promise<Uint8Array> {
  const result = deferred<Uint8Array>();
  const fail = (): void => result.reject(engineFailure());
  const giveUp = (): void => result.reject(new Error('the client is gone'));
  const listener: StreamListener = {
    onAdmitted: () => {},
    onDropped: (_frame, reason) =>
      result.reject(
        reason === 'failed'
          ? new ProtocolError('generation_failed', errors.generation_failed.meaning)
          : engineFailure(),
      ),
    async onResult(_frame, image: GeneratedImage) {
      // The pixels are the engine's again once they are encoded, well or not.
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
  gone.addEventListener('abort', giveUp);
  if (gone.aborted) giveUp();
  try {
    if (!gone.aborted) stream.push(0, null, { replace: false });
    return await result.promise;
  } finally {
    gone.removeEventListener('abort', giveUp);
    stream.close();
  }
}

function engineFailure(): ProtocolError {
  return new ProtocolError('engine_failed', errors.engine_failed.meaning);
}
