import type { ResultMessage } from '@millrace/protocol';
import { decodeImage } from '../../image/decode.js';
import { encodeImage } from '../../image/encode.js';
import type { OutputFormat, SglangRequest } from './sglang-request.js';

const channels = 3;
export const contentTypes: Readonly<Record<OutputFormat, string>> = {
  raw: 'application/x-raw-rgb',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
};

/** Returns a result in the format that the client asked for. */
export async function payloadOf(
  { data, width, height }: ResultMessage,
  { format, quality }: SglangRequest,
): Promise<Uint8Array> {
  if (format === 'jpeg') return data;
  const image = await decodeImage(data, { maxPixels: width * height });
  if (format === 'webp') return encodeImage(image, 'webp', quality);
  return image.data.subarray(0, width * height * channels);
}

/** Returns the fields that describe a payload of one frame. */
export function shapeOf({ width, height }: ResultMessage, format: OutputFormat, bytes: number): object {
  if (format !== 'raw') return { format, encoding: format, width, height, payload_lengths: [bytes] };
  const size = { width, height, channels, bytes_per_frame: bytes, raw_size: bytes };
  return { format: 'rgb24', encoding: 'raw', ...size };
}

/** What the frames of a chunk have taken. */
export class ChunkStatistics {
  readonly #startedAt = performance.now();
  #prepareMs = 0;
  #forwardMs = 0;
  #buildMs = 0;
  #frames = 0;
  #bytes = 0;
  #wireBytes = 0;

  /** @param own what was made of the result here: payload and messages. */
  count(
    timings: ResultMessage['timings'],
    own: { readonly buildMs: number; readonly bytes: number; readonly wireBytes: number },
  ): void {
    this.#prepareMs += timings.decode;
    this.#forwardMs += timings.queue + timings.encode + timings.denoise + timings.vae_decode;
    this.#buildMs += timings.image_encode + own.buildMs;
    this.#frames += 1;
    this.#bytes += own.bytes;
    this.#wireBytes += own.wireBytes;
  }

  /** Returns the fields of `chunk_stats`; writing is left to the network and counts as nothing. */
  fields(): object {
    return {
      request_prepare_ms: Math.round(this.#prepareMs),
      scheduler_forward_ms: Math.round(this.#forwardMs),
      raw_payload_build_ms: Math.round(this.#buildMs),
      chunk_total_ms: Math.round(performance.now() - this.#startedAt),
      pace_wait_ms: 0,
      header_write_ms: 0,
      raw_write_ms: 0,
      ws_write_ms: 0,
      num_batches: this.#frames,
      num_frames: this.#frames,
      raw_bytes: this.#bytes,
      ws_payload_bytes: this.#wireBytes,
    };
  }
}
