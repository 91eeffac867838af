import type { ParameterUpdate, StreamParameters } from '@millrace/protocol';
import { randomUUID } from 'node:crypto';
import { deferred } from '../engine/deferred.js';
import {
  ParameterError,
  type Engine,
  type FrameInput,
  type GeneratedImage,
  type StreamListener,
} from '../engine/engine.js';
import { encodeImage } from '../image/encode.js';
import type { ImageFormat } from '../image/format.js';
import { ImageError } from '../image/image.js';
import type { Capacity } from './admission/capacity.js';
import { checkGrant, type Grant, type GrantLimits } from './access/grant.js';
import { FramePictures, type FramePicturesOptions, type SentPictures } from './frames/frame-pictures.js';
import type { PictureTurns } from './frames/picture-turns.js';
import type { Sessions } from './live/sessions.js';
import type { StyleImages } from './live/style-images.js';
import { RecentEntries } from './time/recent-entries.js';
import { TokenBucket } from './time/token-bucket.js';
import type { ParameterRules } from './live/parameter-rules.js';
import { ProtocolError } from './wire/protocol-error.js';

export interface OneShotOptions {
  readonly engine: Engine;
  readonly rules: ParameterRules;
  /** All sessions: where a token limits sessions, images count too. */
  readonly sessions: Pick<Sessions, 'count' | 'expect' | 'claim' | 'release'>;
  readonly capacity: Pick<Capacity, 'checkCall'>;
  readonly styleImages: StyleImages;
  /** Images that may be generated at the same time; a caller may have half of them. */
  readonly most: number;
  /** Images that one caller may request per minute, also in one burst. */
  readonly perMinute: number;
  readonly pictures: FramePicturesOptions['pictures'];
  /** Pixels that the pictures of a request may have together. */
  readonly framePixels: number;
  /** Pictures of requests are decoded in turn with those of sessions; all requests together count as one. */
  readonly turns: PictureTurns;
}

/** What a client asks for. */
export interface ImageRequest {
  /** Parameters as sent by the client; missing ones get the model's defaults. */
  readonly parameters: unknown;
  /** The picture to change and those that steer it; absent: the image is generated from noise (txt2img). */
  readonly sent?: SentPictures;
}

/** A request, or what reads it: pictures are only read when there is a place for the image. */
export type Asked = ImageRequest | (() => Promise<ImageRequest>);

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
  /** JPEG by default. */
  readonly format?: ImageFormat;
  /** Called if the safety checker flagged the image, which is then blurred. */
  readonly onFlagged?: (() => void) | undefined;
}

/** An image that is being generated, or was. */
interface Job {
  /** Null until its request was read. */
  parameters: StreamParameters | null;
  readonly caller: string;
  /** When it was finished or abandoned, by `performance.now()`; null before. */
  end: number | null;
}

/** All images together get the engine time of one stream. */
const account = 'images';

/** Generates single images, from pictures or from noise, each as a stream of one frame. */
export class OneShot {
  readonly #options: OneShotOptions;
  /** By caller and rate: tokens of the same user may differ in their rate. */
  readonly #rates = new RecentEntries<TokenBucket>((bucket) => bucket.full);
  #jobs: Job[] = [];

  constructor(options: OneShotOptions) {
    this.#options = options;
  }

  /** Whether parameters may have a style image. */
  get takesStyle(): boolean {
    return this.#options.styleImages.takesAny;
  }

  /** Returns the parameters of the images that were being generated within the last `ms` milliseconds. */
  recent(ms: number): readonly StreamParameters[] {
    const since = performance.now() - ms;
    this.#jobs = this.#jobs.filter(({ end }) => end === null || end >= since);
    return this.#jobs.flatMap(({ parameters }) => parameters ?? []);
  }

  /**
   * @returns an image file.
   * @throws {ParameterError} if the parameters are invalid.
   * @throws {ProtocolError} rate_limited, limit_exceeded, unsupported_mode, not_ready, too_many_sessions, invalid_frame,
   *   engine_failed, generation_failed
   * @throws {Error} if the caller is gone.
   */
  async generate(asked: Asked, caller: Caller): Promise<Uint8Array> {
    const { name, grant } = caller;
    const { engine, rules, sessions, capacity, styleImages } = this.#options;
    this.#checkRate(name, grant);
    this.#checkRoom(name, grant);
    const job: Job = { parameters: null, caller: name, end: null };
    this.#jobs.push(job);
    const forget = sessions.expect(grant.subject);
    const id = randomUUID();
    try {
      const request = typeof asked === 'function' ? await asked() : asked;
      const checked = rules.check(request.parameters);
      const changes = checked.style_image ? await styleImages.prepareOnce(checked) : checked;
      const parameters = { ...rules.defaults, ...changes, mode: modeOf(request, rules, changes) };
      checkGrant(grant.limits, parameters);
      capacity.checkCall(parameters);
      if (engine.state.name !== 'ready') throw new ProtocolError('not_ready');
      job.parameters = parameters;
      // A refused request needs no place in the fleet.
      const { subject, limits } = grant;
      await sessions.claim({ id, subject, counter: 0, most: limits.sessions ?? Infinity });
      const input = await this.#inputOf(request, parameters);
      return await firstResult(engine, { parameters, input, caller });
    } finally {
      job.end = performance.now();
      forget();
      sessions.release(id);
    }
  }

  /** Decodes the pictures of a request. @throws {ProtocolError} invalid_frame */
  async #inputOf({ sent }: ImageRequest, parameters: StreamParameters): Promise<FrameInput> {
    const { pictures, framePixels, rules, turns } = this.#options;
    if (!sent) return { image: null };
    const own = new FramePictures({ pictures, framePixels, controls: rules.controls, allocate: newMemory });
    try {
      const input = await turns.run(this, () => own.make(sent, parameters));
      return { ...(input ?? { image: null }), decodeMs: turns.usualMs(this) / turns.atOnce };
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      throw new ProtocolError('invalid_frame', `the image cannot be used: ${error.message}`, {
        field: 'image',
      });
    }
  }

  /** @throws {ProtocolError} rate_limited */
  #checkRate(caller: string, { limits }: Grant): void {
    const { perSecond, burst, inWords } = this.#rateOf(limits);
    const bucket = this.#rates.of(`${perSecond} ${caller}`, () => new TokenBucket(perSecond, burst));
    if (bucket.take()) return;
    throw new ProtocolError('rate_limited', `more than ${inWords}`, {}, { retryAfter: bucket.wait });
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

/**
 * Returns the mode of a request: whether it has an image decides.
 * @throws {ParameterError} if the parameters name the other one.
 * @throws {ProtocolError} unsupported_mode
 */
function modeOf(
  { sent }: ImageRequest,
  { modes }: Pick<ParameterRules, 'modes'>,
  { mode }: ParameterUpdate,
): StreamParameters['mode'] {
  const own = sent ? 'img2img' : 'txt2img';
  if (!modes.includes(own)) throw new ProtocolError('unsupported_mode', noText2Image, { field: 'mode' });
  if (mode === undefined || mode === own) return own;
  throw new ParameterError(
    'mode',
    `mode ${mode} does not fit a request ${sent ? 'with' : 'without'} an image: leave it out`,
  );
}

const noText2Image =
  'the model changes pictures and cannot generate images from a prompt alone: send an image to POST /v1/generate';

interface Generation {
  readonly parameters: StreamParameters;
  readonly input: FrameInput;
  readonly caller: Pick<Caller, 'gone' | 'format' | 'onFlagged'>;
}

/** Returns the file of the only result of a stream of one frame. */
async function firstResult(
  engine: Engine,
  { parameters, input, caller: { gone, format = 'jpeg', onFlagged } }: Generation,
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
      await encodeImage(image, format, parameters.quality).then(
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
    if (!gone.aborted) stream.push(0, input, { replace: false });
    return await result.promise;
  } finally {
    gone.removeEventListener('abort', abandon);
    stream.close();
  }
}

function engineFailure(): ProtocolError {
  return new ProtocolError('engine_failed');
}

function newMemory(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
