import type { Field, FieldsOf } from './fields.js';

/**
 * The stages of a frame in the server, in their order: what each one includes, and the name and meaning of the point in
 * time at its end.
 */
export const stages = {
  decode: {
    meaning: 'Waiting in the session, decoding and fitting the image',
    end: 'decoded',
    endMeaning: 'Its image was decoded and fitted',
  },
  queue: { meaning: 'Waiting for the engine', end: 'queued', endMeaning: 'The engine started on it' },
  encode: { meaning: 'VAE encoder and noising', end: 'encoded', endMeaning: 'The VAE encoder was done' },
  denoise: {
    meaning: 'All steps of the U-Net, including the waits between them',
    end: 'denoised',
    endMeaning: 'The last step was done',
  },
  vae_decode: { meaning: 'VAE decoder', end: 'vae_decoded', endMeaning: 'The VAE decoder was done' },
  image_encode: { meaning: 'Encoding the image file', end: 'sent', endMeaning: 'The result was sent' },
} as const satisfies Readonly<Record<string, { meaning: string; end: string; endMeaning: string }>>;

export type Stage = keyof typeof stages;
export const stageNames = Object.keys(stages) as readonly Stage[];

/** A number of milliseconds. */
export interface Milliseconds extends Field {
  readonly kind: 'number';
}

/** Returns a field for each of these points in time or durations, by their names and meanings. */
function milliseconds<Name extends string>(
  meanings: readonly (readonly [name: Name, meaning: string])[],
): Readonly<Record<Name, Milliseconds>> {
  const fields = meanings.map(([name, meaning]) => [name, { kind: 'number', meaning }]);
  return Object.fromEntries(fields) as Record<Name, Milliseconds>;
}

/** The fields of `result.timings`. */
export const timingFields = milliseconds([
  ...stageNames.map((stage) => [stage, stages[stage].meaning] as const),
  ['total', 'From the arrival of the frame to the sending of its result'],
]);

/** The fields of `result.times`. */
export const timeFields = milliseconds([
  ['received', "The frame's message arrived"],
  ...stageNames.map((stage) => [stages[stage].end, stages[stage].endMeaning] as const),
]);

/** Milliseconds that a frame spent in each stage of the server, in their order. */
export type StageTimings = FieldsOf<typeof timingFields>;

/** When a frame passed each stage, in milliseconds of the client's clock; the times never decrease. */
export type StageTimes = FieldsOf<typeof timeFields>;

/** Why an input frame has no result. */
export const drops = {
  superseded: 'a newer frame replaced it before processing began',
  similar:
    'it is nearly identical to the previous one, mask and pictures of controls included (`similar_image_filter`), whose result also counts for it',
  overload: 'the client had no credit for it',
  stale: 'a newer frame was in progress by the time the client could take the result',
  invalid: 'it is not a usable image; the error `invalid_frame` with its `id` gives the cause',
  failed: 'the server lost it; an error gives the cause',
} as const;

export type DropReason = keyof typeof drops;
export const dropReasons = Object.keys(drops) as readonly DropReason[];
