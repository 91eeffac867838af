import type { StageTimes, StageTimings } from '@millrace/protocol';
import type { WorkerTimings } from '../../engine/messages.js';
import type { ClientClock } from '../wire/client-clock.js';
import type { Frame } from './frame-ledger.js';

/** When a result was encoded and sent, by `performance.now()`. */
export interface Departure {
  readonly encoding: number;
  readonly sent: number;
}

/** How long a frame spent in each stage, in milliseconds. */
export function stageTimings(
  frame: Frame,
  { encode, denoise, decode }: WorkerTimings,
  { encoding, sent }: Departure,
): StageTimings {
  return {
    decode: frame.decoded,
    queue: frame.queued,
    encode,
    denoise,
    vae_decode: decode,
    image_encode: sent - encoding,
    total: sent - frame.arrived,
  };
}

/**
 * When a frame passed each stage, on the client's clock. The worker measures durations by a clock of its own, and
 * messages between the threads take time: no stage is told to be later than what is known to be behind it.
 */
export function stageTimes(
  frame: Frame,
  timings: StageTimings,
  sent: number,
  clock: ClientClock,
): StageTimes {
  const within = (time: number): number => Math.min(time, sent);
  const decoded = within(frame.arrived + timings.decode);
  const queued = within(decoded + timings.queue);
  const encoded = within(queued + timings.encode);
  const denoised = within(encoded + timings.denoise);
  return {
    received: clock.at(frame.arrived),
    decoded: clock.at(decoded),
    queued: clock.at(queued),
    encoded: clock.at(encoded),
    denoised: clock.at(denoised),
    vae_decoded: clock.at(within(denoised + timings.vae_decode)),
    sent: clock.at(sent),
  };
}
