import { errors, type ParameterUpdate, type StreamParameters } from '@millrace/protocol';
import { deferred } from '../engine/deferred.js';
import { ParameterError, type Engine, type GeneratedImage, type StreamListener } from '../engine/engine.js';
import { encodeJpeg } from '../image/encode.js';
import { checkGrant, type Grant, type GrantLimits } from './access/grant.js';
import type { Sessions } from './live/sessions.js';
import { RecentEntries } from './time/recent-entries.js';
import { TokenBucket } from './time/token-bucket.js';
import type { ParameterRules } from './live/parameter-rules.js';
import { ProtocolError } from './wire/protocol-error.js';

export interface OneShotOptions {
  readonly engine: Engine;
  readonly rules: ParameterRules;
  /** The sessions, beside which images count where a token limits how many there may be. */
  readonly sessions: Pick<Sessions, 'count' | 'expect'>;
  /** Images that may be made at the same time; a caller may have half of them. */
  readonly most: number;
  /** Images that one caller may ask for in a minute; all of them may come at once. */
  readonly perMinute: number;
}

interface Rate {
  readonly perSecond: number;
  /** Images that may be asked for at once. */
  readonly burst: number;
  readonly inWords: string;
}

/** The client that asks for an image. */
export interface Caller {
  /** The user or, where no token is asked for, the address: each has limits of its own. */
  readonly name: string;
  readonly grant: Grant;
  /** Aborts when the client is gone; its image is then given up. */
  readonly gone: AbortSignal;
}

/** An image that is being made, or was. */
interface Job {
  readonly parameters: StreamParameters;
  readonly caller: string;
  /** When it was finished or given up, by `performance.now()`; null before. */
  end: number | null;
}

/** The engine's time is shared as if all images came from one stream, however many there are. */
const account = 'images';

/** Makes single images from noise (txt2img), each as a stream of one frame among the others. */
export class OneShot {
  readonly #options: OneShotOptions;
  /** By caller and rate, since another token of the same user may allow another rate. */
  readonly #rates = new RecentEntries<TokenBucket>((bucket) => bucket.full);
  #jobs: Job[] = [];

  constructor(options: OneShotOptions) {
    this.#options = options;
  }

  /** Returns the parameters of the images that were being made within the last `ms` milliseconds. */
  recent(ms: number): readonly StreamParameters[] {
    const since = performance.now() - ms;
    this.#jobs = this.#jobs.filter(({ end }) => end === null || end >= since);
    return this.#jobs.map(({ parameters }) => parameters);
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
    const { engine, rules, sessions } = this.#options;
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
    const job: Job = { parameters, caller: name, end: null };
    this.#jobs.push(job);
    const forget = sessions.expect(grant.subject);
    try {
      return await firstResult(engine, parameters, gone);
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
      throw new ProtocolError('too_many_sessions', 'too many images are being made; try again in a moment');
    }
  }

  /** Where a token limits frames, an image counts as one. */
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
