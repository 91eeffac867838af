import { encodeMap, type ErrorMessage, type ParameterUpdate, type ServerMessage } from '@millrace/protocol';
import { randomUUID } from 'node:crypto';
import { encodeImage } from '../../image/encode.js';
import { ProtocolError } from '../../session/wire/protocol-error.js';
import { isGiven, readInteger, readParameters, refuseValue } from './foreign-parameters.js';
import type { ClientSide, Conversation, Program } from './program.js';
import { readDataUri, readJson, readMessagePack, type Values } from './read-map.js';
import { passes, SessionBridge } from './session-bridge.js';

export interface FalOptions {
  readonly defaults: ParameterUpdate;
  /** What the model is good for. */
  readonly modes: readonly string[];
}

/** An application and its endpoint, such as /fal-ai/fast-turbo-diffusion/realtime; not of our own. */
const socketPath = /^\/(?!v1\/|api\/)[\w.-]{1,100}\/[\w.-]{1,100}(?:\/[\w.-]{1,100}){0,2}\/realtime$/;
/** What fal calls the parameters. */
const aliases = { num_inference_steps: 'steps' } as const;
/** fal's names for sizes, in pixels. */
const namedSizes: Readonly<Record<string, readonly [width: number, height: number]>> = {
  square: [512, 512],
  square_hd: [1024, 1024],
  portrait_4_3: [768, 1024],
  portrait_16_9: [576, 1024],
  landscape_4_3: [1024, 768],
  landscape_16_9: [1024, 576],
};
const longestId = 200;
/** Side of the grey picture that stands for none, in pixels. */
const greySide = 64;
/**
 * With these, almost nothing of the picture is left. Unlike the images of `mode: txt2img`, each of which has its own
 * noise, those from a grey picture stay the same for the same seed, and so a picture changes little with its prompt.
 */
const fromNoise: ParameterUpdate = { strength: 1, t_index_list: null };

/** A request of the client. */
interface Asked {
  readonly id: string;
  /** How it wants the picture: as a field of bytes, as a data URI, or as bytes in the list of images. */
  readonly form: 'image' | 'url' | 'content';
}

/**
 * The protocol of the realtime client of fal: each message is a request with all its parameters, as MessagePack or
 * JSON, and each result answers one request. Of several waiting requests, the newest counts.
 */
export async function createFal(options: FalOptions): Promise<Program> {
  const data = new Uint8Array(greySide * greySide * 3).fill(128);
  const grey = await encodeImage({ width: greySide, height: greySide, data }, 'png', 100);
  return {
    serves: (path) => socketPath.test(path),
    begin: (side) => new FalTalk(side, options, grey),
  };
}

class FalTalk implements Conversation {
  readonly #side: ClientSide;
  readonly #options: FalOptions;
  readonly #grey: Uint8Array;
  readonly #bridge: SessionBridge<Asked>;
  /** Whether the client sends JSON. */
  #text = false;
  /** The request that was read last. */
  #latest: Asked | null = null;

  constructor(side: ClientSide, options: FalOptions, grey: Uint8Array) {
    this.#side = side;
    this.#options = options;
    this.#grey = grey;
    const token = side.url.searchParams.get('fal_jwt_token') ?? undefined;
    this.#bridge = new SessionBridge({ client: 'fal', tell: (message) => side.tell(message), token });
  }

  /** The first request opens the session. */
  opened(): void {}

  fromClient(data: Buffer, isBinary: boolean): void {
    this.#text = !isBinary;
    this.#latest = null;
    const values = isBinary ? readMessagePack(data) : readJson(data);
    const { request_id: id, num_images: images } = values;
    const tag: Asked = {
      id: typeof id === 'string' ? id.slice(0, longestId) : randomUUID(),
      form: formOf(values, this.#text),
    };
    this.#latest = tag;
    if (isGiven(images)) readInteger('num_images', images, [1, 1]);
    const picture = pictureOf(values);
    const { defaults, modes } = this.#options;
    if (!picture && !modes.includes('txt2img')) throw new ProtocolError('unsupported_mode', needsPicture);
    const given = { ...readParameters(values, aliases), ...sizeOf(values), ...(!picture && fromNoise) };
    const parameters = { ...defaults, ...given, mode: 'img2img' } as const;
    this.#bridge.ask({ parameters, picture: picture ?? this.#grey, tag });
  }

  fromServer(message: ServerMessage): void {
    const asked = this.#bridge.hear(message);
    if (message.type === 'error') this.#refuse(message, asked);
    else if (message.type === 'result' && asked) this.#answer(message, asked);
  }

  ended(): void {
    this.#bridge.end();
  }

  #answer(result: Extract<ServerMessage, { readonly type: 'result' }>, { id, form }: Asked): void {
    const { data, width, height, timings, flagged = false, sequence } = result;
    const { parameters } = this.#bridge;
    const url = (): string => `data:image/jpeg;base64,${Buffer.from(data).toString('base64')}`;
    const image = {
      width,
      height,
      content_type: 'image/jpeg',
      ...(form === 'url' && { url: url() }),
      ...(form === 'content' && { content: data }),
    };
    const answer = {
      request_id: id,
      images: [image],
      ...(form === 'image' && { image: data }),
      timings: { inference: timings.total / 1000 },
      seed: parameters?.seed,
      num_inference_steps: parameters?.t_index_list?.length ?? parameters?.steps,
      prompt: parameters?.prompt,
      has_nsfw_concepts: [flagged],
      nsfw_content_detected: [flagged],
    };
    this.#say(answer, () => this.#bridge.acknowledge(sequence));
  }

  #refuse({ code, message }: ErrorMessage, asked: Asked | null = this.#latest): void {
    if (passes(code)) return;
    if (code === 'unauthorized') return this.#say({ status: 'error', error: 'Unauthorized' });
    // The client takes this one for the end of a pause, and connects again with its next request.
    const error = code === 'idle_timeout' ? 'TIMEOUT' : code;
    this.#say({ type: 'x-fal-error', error, reason: message, ...(asked && { request_id: asked.id }) });
  }

  #say(message: object, done?: () => void): void {
    this.#side.write(this.#text ? JSON.stringify(message) : encodeMap(message), done);
  }
}

const needsPicture =
  'the model changes pictures, and generates none from a prompt alone: send a picture as image (bytes) or image_url (a data URI)';

/** Returns the picture of a request; undefined if it has none. @throws {ProtocolError} invalid_parameter */
function pictureOf({ image, image_bytes: bytes, image_url: uri }: Values): Uint8Array | undefined {
  for (const file of [image, bytes]) if (file instanceof Uint8Array && file.length > 0) return file;
  const text = [uri, image].find((value) => isGiven(value) && value !== '');
  if (text === undefined || text instanceof Uint8Array) return undefined;
  if (typeof text === 'string') return readDataUri('image_url', text);
  return refuseValue('image_url', 'a data URI', text);
}

/** Returns how the result carries its picture: as the request does. */
function formOf({ image, image_bytes: bytes, image_url: uri }: Values, isText: boolean): Asked['form'] {
  if (image instanceof Uint8Array || bytes instanceof Uint8Array) return 'image';
  return isText || (typeof uri === 'string' && uri !== '') ? 'url' : 'content';
}

/** @throws {ProtocolError} invalid_parameter */
function sizeOf({ image_size: size }: Values): ParameterUpdate {
  if (!isGiven(size)) return {};
  if (typeof size === 'string') {
    const [width, height] = Object.hasOwn(namedSizes, size) ? (namedSizes[size] ?? []) : [];
    if (width !== undefined && height !== undefined) return { width, height };
  } else if (typeof size === 'object' && 'width' in size && 'height' in size) {
    const { width, height } = size;
    if (typeof width === 'number' && typeof height === 'number') return { width, height };
  }
  const names = Object.keys(namedSizes).join(', ');
  return refuseValue('image_size', `one of ${names}, or an object with width and height`, size);
}
