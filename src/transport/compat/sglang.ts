import {
  encodeMap,
  type ErrorMessage,
  type ParameterUpdate,
  type ResultMessage,
  type ServerMessage,
} from '@millrace/protocol';
import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { asError } from '../../engine/as-error.js';
import { Pace } from '../../session/time/pace.js';
import { ProtocolError } from '../../session/wire/protocol-error.js';
import { addOpenAiImages } from './openai-images.js';
import { policyClose, type ClientSide, type Conversation, type Program } from './program.js';
import { readMessagePack } from './read-map.js';
import { endsConnection, passes, SessionBridge } from './session-bridge.js';
import { ChunkStatistics, contentTypes, payloadOf, shapeOf } from './sglang-output.js';
import { readEvent, readInit, type SglangRequest } from './sglang-request.js';

export interface SglangOptions {
  readonly model: string;
  /** What the model is good for. */
  readonly modes: readonly string[];
  /** Whether the server is ready for streams. */
  readonly isReady: () => boolean;
  readonly images: Parameters<typeof addOpenAiImages>[1];
}

const socketPath = '/v1/realtime_video/generate';
/** Payloads of at least this many bytes get a message of their own, after their header. */
const ownMessageBytes = 64 * 1024;
const normalClose = 1000;
const internalClose = 1011;

/**
 * The protocol of SGLang's realtime video: after `init` the server generates chunk after chunk until `max_chunks`, from
 * noise or from a picture, and events change what comes next. A chunk has `num_frames` frames, each sent when it is
 * done.
 */
export function createSglang(options: SglangOptions): Program {
  return {
    serves: (path) => path === socketPath,
    begin: (side) => new SglangTalk(side, options.modes),
    addRoutes(server: FastifyInstance) {
      const { model, isReady, images } = options;
      addOpenAiImages(server, images);
      server.get('/health', async (_request, reply) => reply.code(isReady() ? 200 : 503).send());
      server.get('/v1/models', async (_request, reply) =>
        reply.send({
          object: 'list',
          data: [{ id: model, object: 'model', owned_by: 'millrace', root: model }],
        }),
      );
    },
  };
}

/** The frame that is next to be sent. */
interface Position {
  readonly chunk: number;
  /** Within the chunk. */
  readonly frame: number;
}

/** What the session is asked for. */
interface Asked {
  /** The number of the event that asked; null if none did. */
  readonly event: number | null;
  readonly picture: Uint8Array | null;
}

class SglangTalk implements Conversation {
  readonly #side: ClientSide;
  readonly #modes: readonly string[];
  readonly #bridge: SessionBridge<Asked>;
  readonly #session = randomUUID();
  #request: SglangRequest | null = null;
  /** The picture that each frame is made from; null for noise. */
  #picture: Uint8Array | null = null;
  /** A picture that the session has refused: it would refuse it again, without an end. */
  #unusable: Uint8Array | null = null;
  /** All that events have changed. */
  #changes: ParameterUpdate = {};
  #event: { readonly id: number | null; readonly from: number } = { id: null, from: 0 };
  #position: Position = { chunk: 0, frame: 0 };
  #statistics = new ChunkStatistics();
  /** Settles when the results so far were sent. */
  #sent: Promise<void> = Promise.resolve();
  readonly #pace = new Pace(() => this.#feed());

  constructor(side: ClientSide, modes: readonly string[]) {
    this.#side = side;
    this.#modes = modes;
    this.#bridge = new SessionBridge({
      client: 'sglang',
      tell: (message) => side.tell(message),
      token: side.url.searchParams.get('token') ?? undefined,
      onInForce: ({ event: id }, from) => (this.#event = { id, from }),
    });
  }

  /** `init` opens the session. */
  opened(): void {}

  fromClient(data: Buffer, isBinary: boolean): void {
    if (!isBinary)
      throw new ProtocolError('invalid_message', 'messages must be binary, each a MessagePack map');
    const values = readMessagePack(data);
    if (this.#request === null) return this.#begin(readInit(values));
    const event = readEvent(values);
    if (event === null) return;
    const { id, parameters, picture } = event;
    if (picture) this.#changePicture(picture);
    this.#changes = { ...this.#changes, ...parameters };
    this.#bridge.ask({
      parameters: this.#changes,
      tag: { event: id, picture: this.#picture },
      ...(this.#picture && { picture: this.#picture }),
    });
  }

  fromServer(message: ServerMessage): void {
    const asked = this.#bridge.hear(message);
    if (message.type === 'error') return this.#refuse(message, asked);
    if (message.type === 'result') {
      this.#sent = this.#sent
        .then(() => this.#deliver(message))
        .catch((error: unknown) => {
          this.#say({ type: 'error', content: `a frame could not be sent: ${asError(error).message}` });
          this.#side.close(internalClose, 'internal');
        });
    }
    this.#feed();
  }

  ended(): void {
    this.#pace.stop();
    this.#bridge.end();
    this.#request = null;
  }

  #begin(request: SglangRequest): void {
    const { mode = 'img2img' } = request.parameters;
    if (!this.#modes.includes(mode)) throw new ProtocolError('unsupported_mode', needsPicture);
    this.#request = request;
    this.#picture = request.picture;
    this.#pace.limit(request.fps || null);
    this.#bridge.ask({ parameters: request.parameters, tag: { event: null, picture: null } });
  }

  #changePicture(picture: Uint8Array): void {
    if (this.#picture === null) {
      const fault = 'a stream that began without first_frame takes no frames';
      throw new ProtocolError('invalid_parameter', fault, { field: 'kind' });
    }
    this.#picture = picture;
  }

  /** Sends the picture to the session again as soon as the last one does not wait any more, at most at the rate. */
  #feed(): void {
    const picture = this.#picture;
    if (picture === null || picture === this.#unusable) return;
    if (this.#request === null || !this.#bridge.free) return;
    if (!this.#pace.check()) return;
    this.#pace.take();
    this.#bridge.ask({ picture, tag: { event: this.#event.id, picture } });
  }

  /** Sends a result, and after the last one of a chunk its statistics; after the last chunk, closes. */
  async #deliver(result: ResultMessage): Promise<void> {
    const request = this.#request;
    if (request === null) return;
    const { chunk, frame } = this.#position;
    if (chunk >= request.chunks) return;
    const startedAt = performance.now();
    const payload = await payloadOf(result, request);
    const buildMs = performance.now() - startedAt;
    const isLast = frame === request.framesPerChunk - 1;
    const { id, from } = this.#event;
    const common = {
      request_id: `${this.#session}_${chunk}`,
      chunk_index: chunk,
      ...(id !== null && result.id >= from && { event_id: id }),
      content_type: contentTypes[request.format],
    };
    const wireBytes = this.#send(
      {
        ...common,
        num_frames: 1,
        total_size: payload.length,
        frame_batch_index: frame,
        num_frame_batches: request.framesPerChunk,
        is_final_frame_batch: isLast,
        ...shapeOf(result, request.format, payload.length),
      },
      payload,
      () => this.#bridge.acknowledge(result.sequence),
    );
    this.#statistics.count(result.timings, { buildMs, bytes: payload.length, wireBytes });
    this.#position = isLast ? { chunk: chunk + 1, frame: 0 } : { chunk, frame: frame + 1 };
    if (!isLast) return;
    const session_id = this.#session;
    this.#say({ type: 'chunk_stats', session_id, ...common, ...this.#statistics.fields() });
    this.#statistics = new ChunkStatistics();
    if (chunk + 1 === request.chunks) this.#side.close(normalClose, 'generation complete');
  }

  /** @returns bytes that were sent. */
  #send(header: object, payload: Uint8Array, done: () => void): number {
    if (payload.length < ownMessageBytes) {
      const message = encodeMap({ type: 'frame_batch', ...header, payload });
      this.#side.write(message, done);
      return message.length;
    }
    const message = encodeMap({ type: 'frame_batch_header', ...header });
    this.#side.write(message);
    this.#side.write(payload, done);
    return message.length + payload.length;
  }

  #refuse({ code, message }: ErrorMessage, asked: Asked | undefined): void {
    if (passes(code)) return;
    if (code === 'invalid_frame' && asked) this.#unusable = asked.picture;
    this.#changes = {};
    this.#say({ type: 'error', content: `${code}: ${message}` });
    // Without a session there is nothing to go on with.
    const isOpening = this.#bridge.parameters === null && this.#request !== null;
    if (isOpening && !endsConnection(code)) this.#side.close(policyClose, code);
  }

  #say(message: object): void {
    this.#side.write(encodeMap(message));
  }
}

const needsPicture =
  'the model changes pictures, and generates none from a prompt alone: send the bytes of one as first_frame';
