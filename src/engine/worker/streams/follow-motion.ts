import type { FrameState, Plan } from '../../../diffusion/in-flight.js';
import { lumaOf } from '../../../diffusion/motion.js';
import { MovingNoise, type MovingNoiseState } from '../../../diffusion/moving-noise.js';
import type { Stream } from '../../../diffusion/stream.js';
import type { Image } from '../../../image/image.js';

/** Moves the noise of a stream with the picture of the next frame to enter, if it is noise that moves. */
export function followMotion(
  { plan, ordinal, oldestOrdinal }: Pick<Stream, 'plan' | 'ordinal' | 'oldestOrdinal'>,
  image: Image,
  factor: number,
): void {
  const { noise, shape } = plan;
  if (!(noise instanceof MovingNoise)) return;
  const [, height, width] = shape;
  noise.follow(ordinal, lumaOf(image.data, image, factor, { width, height }), oldestOrdinal);
}

/** Lets moving noise of a new plan begin where that of the former one is. */
export function continueMotion(former: Plan, { noise }: Plan): void {
  if (noise === former.noise || !(noise instanceof MovingNoise)) return;
  if (former.noise instanceof MovingNoise) noise.restore(former.noise.state([]));
}

/** Returns the state of moving noise, with that of these frames; null if the noise of the plan does not move. */
export function motionIn({ noise }: Plan, frames: readonly FrameState[]): MovingNoiseState | null {
  return noise instanceof MovingNoise ? noise.state(frames.map(({ ordinal }) => ordinal)) : null;
}

/** Lets moving noise of a plan begin at this state. */
export function restoreMotion({ noise }: Plan, state: MovingNoiseState): void {
  if (noise instanceof MovingNoise) noise.restore(state);
}
