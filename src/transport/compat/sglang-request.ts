import { isMap, showValue, type ParameterUpdate } from '@millrace/protocol';
import { ProtocolError } from '../../session/wire/protocol-error.js';
import { isGiven, readInteger, readParameters, readSize, refuseValue } from './foreign-parameters.js';
import { readDataUri, type Values } from './read-map.js';

/** How frames are sent: pixels, or files of a format. */
export type OutputFormat = 'raw' | 'jpeg' | 'webp';

/** What `init` asks for. */
export interface SglangRequest {
  readonly parameters: ParameterUpdate;
  /** The picture to change; null to generate from noise. */
  readonly picture: Uint8Array | null;
  readonly format: OutputFormat;
  /** Quality of JPEG and WebP files, 1 to 100. */
  readonly quality: number;
  /** Frames per second at most; 0 for as many as possible. */
  readonly fps: number;
  readonly framesPerChunk: number;
  /** Chunks until the end; infinity for no end. */
  readonly chunks: number;
}

/** What SGLang calls the parameters. */
const aliases = { num_inference_steps: 'steps' } as const;
const formats: readonly unknown[] = ['raw', 'jpeg', 'webp'];
const mostChunks = 1_000_000;
const mostFrames = 1024;
const usualQuality = { raw: 100, jpeg: 95, webp: 90 } as const;

/**
 * Reads the first message of a client. What steers a world model (`condition_inputs`) is left out, and so is what only
 * concerns SGLang's own models.
 * @throws {ProtocolError} invalid_parameter, invalid_message
 */
export function readInit(values: Values): SglangRequest {
  if (values['type'] !== 'init') throw new ProtocolError('invalid_message', 'the first message must be init');
  const format = formatOf(values['realtime_output_format']);
  const quality = optional(values, 'output_compression', [1, 100]) ?? usualQuality[format];
  const { size, width, height } = values;
  const picture = isGiven(values['first_frame']) ? readPicture('first_frame', values['first_frame']) : null;
  const fps = optional(values, 'fps', [1, 120]) ?? 0;
  return {
    picture,
    format,
    quality,
    fps,
    framesPerChunk: optional(values, 'num_frames', [1, mostFrames]) ?? 1,
    chunks: optional(values, 'max_chunks', [1, mostChunks]) ?? Infinity,
    parameters: {
      ...readParameters(values, aliases),
      ...(isGiven(size) && !isGiven(width) && !isGiven(height) && readSize('size', size)),
      mode: picture ? 'img2img' : 'txt2img',
      // Files of a client's own format are made from this one, and should lose nothing more.
      quality: format === 'jpeg' ? quality : 100,
      ...(!picture && { fps }),
    },
  };
}

/** An event of the client: what it changes, and the number by which results name it. */
export interface SglangEvent {
  readonly id: number | null;
  readonly parameters?: ParameterUpdate;
  readonly picture?: Uint8Array;
}

/**
 * Reads any later message. Besides SGLang's `prompt` and `heartbeat` there are `frame`, the next picture to change, and
 * `parameters`, a map.
 * @returns null for one that changes nothing.
 * @throws {ProtocolError} invalid_parameter, invalid_message
 */
export function readEvent(values: Values): SglangEvent | null {
  if (values['type'] !== 'event') throw new ProtocolError('invalid_message', 'type must be event after init');
  const { kind, payload } = values;
  const id = optional(values, 'event_id', [0, Number.MAX_SAFE_INTEGER]) ?? null;
  switch (kind) {
    case 'heartbeat':
    case 'client_trace':
    case 'playback_ack':
      return null;
    case 'prompt':
    case 'scene_cut':
      if (typeof payload === 'string') return { id, parameters: { prompt: payload } };
      return refusePayload(kind, 'a text', payload);
    case 'frame':
      return { id, picture: readPicture('payload', payload) };
    case 'parameters':
      // Of binary data, each byte would be a field.
      if (isMap(payload) && !(payload instanceof Uint8Array)) {
        return { id, parameters: readParameters(payload) };
      }
      return refusePayload(kind, 'a map', payload);
    default:
      return refuseValue('kind', 'prompt, frame, parameters or heartbeat', kind);
  }
}

/** @throws {ProtocolError} invalid_parameter */
function readPicture(field: string, value: unknown): Uint8Array {
  if (value instanceof Uint8Array && value.length > 0) return value;
  if (typeof value === 'string') return readDataUri(field, value);
  return refuseValue(field, 'the bytes of an image file, or a data URI', value);
}

function formatOf(value: unknown): OutputFormat {
  if (!isGiven(value)) return 'raw';
  if (formats.includes(value)) return value as OutputFormat;
  return refuseValue('realtime_output_format', `one of ${formats.join(', ')}`, value);
}

/** Returns an integer of the message; undefined if it is absent or null. */
function optional(values: Values, name: string, range: readonly [number, number]): number | undefined {
  const value = values[name];
  return isGiven(value) ? readInteger(name, value, range) : undefined;
}

/** @throws {ProtocolError} invalid_parameter */
function refusePayload(kind: string, wanted: string, payload: unknown): never {
  const fault = `the payload of ${kind} must be ${wanted}, not ${showValue(payload)}`;
  throw new ProtocolError('invalid_parameter', fault, { field: 'payload' });
}
