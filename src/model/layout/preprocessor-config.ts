import { createValidator } from '../../text/validator.js';
import type { Three } from './scaling.js';

export type Colour = Three;
/**
 * `depth`: one value a pixel, drawn in grey; `picture`: RGB, or one value a pixel in grey; `classes`: a score for each
 * class or the number of the class, drawn in the colour of the palette; `mask`: a score for each class or its number
 * too, drawn white where a pixel is of one of some classes, or else one channel of values in grey.
 */
export type ResultKind = 'depth' | 'picture' | 'classes' | 'mask';
/** The values that are drawn black and white; `minmax` the least and the greatest of each result. */
export type ResultRange = 'minmax' | readonly [black: number, white: number];

/** config.json of a preprocessor. */
export interface PreprocessorConfig {
  readonly title: string;
  readonly input: {
    readonly size: readonly [height: number, width: number] | null;
    readonly multiple_of: number;
    readonly range: readonly [number, number] | { readonly mean: Three; readonly std: Three };
    readonly layout: 'rgb' | 'bgr';
  };
  readonly output: {
    readonly kind: ResultKind;
    readonly range: ResultRange;
    readonly invert: boolean;
    readonly palette?: readonly Colour[];
    /** Which output of the graph; absent: the first. */
    readonly name?: string;
    readonly channel?: number;
    readonly classes?: readonly number[];
  };
}

/** Sides of pictures, in pixels. */
const maxSide = 4096;
/** The highest number of a class, and of a channel. */
export const maxClass = 1023;
const side = { type: 'integer', minimum: 1, maximum: maxSide } as const;
const list = (count: number, items: object): object => ({
  type: 'array',
  minItems: count,
  maxItems: count,
  items,
});
const value = { type: 'number' } as const;

export const validateConfig = createValidator<PreprocessorConfig>({
  type: 'object',
  additionalProperties: false,
  required: ['title', 'output'],
  properties: {
    title: { type: 'string', minLength: 1, maxLength: 40 },
    input: {
      type: 'object',
      additionalProperties: false,
      default: {},
      properties: {
        size: { default: null, type: ['array', 'null'], minItems: 2, maxItems: 2, items: side },
        multiple_of: { ...side, default: 1 },
        range: {
          default: [0, 1],
          anyOf: [
            list(2, value),
            {
              type: 'object',
              additionalProperties: false,
              required: ['mean', 'std'],
              properties: { mean: list(3, value), std: list(3, { ...value, exclusiveMinimum: 0 }) },
            },
          ],
        },
        layout: { default: 'rgb', enum: ['rgb', 'bgr'] },
      },
    },
    output: {
      type: 'object',
      additionalProperties: false,
      required: ['kind'],
      properties: {
        kind: { enum: ['depth', 'picture', 'classes', 'mask'] },
        name: { type: 'string', minLength: 1, maxLength: 200 },
        channel: { type: 'integer', minimum: 0, maximum: maxClass },
        classes: {
          type: 'array',
          minItems: 1,
          maxItems: 100,
          items: { type: 'integer', minimum: 0, maximum: maxClass },
        },
        range: { default: [0, 1], anyOf: [{ const: 'minmax' }, list(2, value)] },
        invert: { type: 'boolean', default: false },
        palette: {
          type: 'array',
          minItems: 1,
          maxItems: maxClass + 1,
          items: list(3, { type: 'integer', minimum: 0, maximum: 255 }),
        },
      },
    },
  },
});
