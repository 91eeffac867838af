import type { Stage } from '@millrace/protocol';

/** What pages call the stages of a frame. */
export const stageWords: Readonly<Record<Stage, string>> = {
  decode: 'read',
  queue: 'wait',
  encode: 'encode',
  denoise: 'paint',
  vae_decode: 'decode',
  image_encode: 'pack',
};
