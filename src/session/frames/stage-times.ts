import { stageNames, stages, type StageTimes, type StageTimings } from '@millrace/protocol';
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
 * file, `vae_decode` of the latent. The wait of a result for its client is in no stage, only in `total`.
 */
export function stageTimings(
  frame: Frame,
  { vaeEncodeMs, denoiseMs, vaeDecodeMs }: WorkerTimings,
  { encodingAt, sentAt }: Departure,
): StageTimings {
  return {
    decode: frame.inputMs,
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
  let at = frame.arrivedAt;
  const times: Record<string, number> = { received: clock.at(at) };
  // Each stage begins when the one before has ended.
  for (const stage of stageNames) {
    at = Math.min(at + timings[stage], sentAt);
    times[stages[stage].end] = clock.at(at);
  }
  times['sent'] = clock.at(sentAt);
  return times as StageTimes;
}
