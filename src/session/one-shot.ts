import { errors, type ParameterUpdate } from '@millrace/protocol';
import { deferred } from '../engine/deferred.js';
import { ParameterError, type Engine, type GeneratedImage, type StreamListener } from '../engine/engine.js';
import { encodeJpeg } from '../image/encode.js';
import { checkGrant, type GrantLimits } from './access/grant.js';
import type { ParameterRules } from './wire/parameters.js';
import { ProtocolError } from './wire/protocol-error.js';

/** Makes single images from noise (txt2img), each as a stream of one frame among the others. */
export class OneShot {
  readonly #engine: Engine;
  readonly #rules: ParameterRules;
  readonly #most: number;
  #running = 0;

  /** @param most images that may be in the making at the same time. */
  constructor(engine: Engine, rules: ParameterRules, most: number) {
    this.#engine = engine;
    this.#rules = rules;
    this.#most = most;
  }

  /**
   * @param update parameters as a client sends them; what is left out has the model's defaults.
   * @param limits of whoever asks.
   * @returns a JPEG file.
   * @throws {ParameterError} if the parameters cannot be.
   * @throws {ProtocolError} limit_exceeded, not_ready, too_many_sessions, engine_failed, generation_failed
   */
  async generate(update: unknown, limits: GrantLimits): Promise<Uint8Array> {
    const changes: ParameterUpdate = this.#rules.check(update);
    const parameters = { ...this.#rules.defaults, ...changes, mode: 'txt2img' } as const;
    checkGrant(limits, parameters);
    if (this.#engine.state.name !== 'ready') throw new ProtocolError('not_ready', errors.not_ready.meaning);
    if (this.#running >= this.#most)
      throw new ProtocolError('too_many_sessions', errors.too_many_sessions.meaning);
    this.#running += 1;
    try {
      return await firstResult(this.#engine, parameters);
    } finally {
      this.#running -= 1;
    }
  }
}

async function firstResult(
  engine: Engine,
  parameters: Parameters<Engine['openStream']>[0],
): Promise<Uint8Array> {
  const result = deferred<Uint8Array>();
  const fail = (): void => result.reject(engineFailure());
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
  const stream = await engine.openStream(parameters, listener).catch((error: unknown) => {
    throw error instanceof ParameterError ? error : engineFailure();
  });
  try {
    stream.push(0, null, { replace: false });
    return await result.promise;
  } finally {
    stream.close();
  }
}

function engineFailure(): ProtocolError {
  return new ProtocolError('engine_failed', errors.engine_failed.meaning);
}
