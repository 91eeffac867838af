import type { FrameState, Plan } from '../../../diffusion/in-flight.js';
import { lumaOf } from '../../../diffusion/motion.js';
import { MovingNoise, type MovingNoiseState } from '../../../diffusion/moving-noise.js';
import type { Image } from '../../../image/image.js';

/** Moves the noise of a plan with the picture of the next frame to enter, if it is noise that moves. */
export function followMotion({ noise, shape }: Plan, ordinal: number, image: Image, factor: number): void {
  if (!(noise instanceof MovingNoise)) return;
  const [, height, width] = shape;
  noise.follow(ordinal, lumaOf(image.data, image, factor, { width, height }));
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
