import type { StageTimes, StageTimings } from '@millrace/protocol';
import type { WorkerTimings } from '../../engine/messages.js';
import type { ClientClock } from '../wire/client-clock.js';
import type { Frame } from './frame-ledger.js';

/** When the encoding of a result began, and when the result was sent, by `performance.now()`. */
export interface Departure {
  readonly encodingAt: number;
  readonly sentAt: number;
}

/**
 * Returns how long a frame spent in each stage, in milliseconds, by the names of the protocol: `decode` is of the image
 * file, `vae_decode` of the latent.
 */
export function stageTimings(
  frame: Frame,
  { vaeEncodeMs, denoiseMs, vaeDecodeMs }: WorkerTimings,
  { encodingAt, sentAt }: Departure,
): StageTimings {
  return {
    decode: frame.decodeMs,
    queue: frame.queueMs,
    encode: vaeEncodeMs,
    denoise: denoiseMs,
    vae_decode: vaeDecodeMs,
    image_encode: sentAt - encodingAt,
    total: sentAt - frame.arrivedAt,
  };
}

/**
 * Returns when a frame passed each stage, on the client's clock. The worker measures durations by its own clock, and
 * messages between the threads take time: no stage is reported later than `sentAt`.
 */
export function stageTimes(
  frame: Frame,
  timings: StageTimings,
  sentAt: number,
  clock: ClientClock,
): StageTimes {
  const within = (time: number): number => Math.min(time, sentAt);
  const decodedAt = within(frame.arrivedAt + timings.decode);
  const queuedAt = within(decodedAt + timings.queue);
  const encodedAt = within(queuedAt + timings.encode);
  const denoisedAt = within(encodedAt + timings.denoise);
  return {
    received: clock.at(frame.arrivedAt),
    decoded: clock.at(decodedAt),
    queued: clock.at(queuedAt),
    encoded: clock.at(encodedAt),
    denoised: clock.at(denoisedAt),
    vae_decoded: clock.at(within(denoisedAt + timings.vae_decode)),
    sent: clock.at(sentAt),
  };
}
