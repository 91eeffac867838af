import { attentionBankParameters } from './attention-bank.js';
import { controlParameters, type ControlSettings } from './controls.js';
import { guidanceParameters } from './guidance.js';
import { maskParameters } from './masks.js';
import { pictureParameters } from './picture.js';
import { promptParameters } from './prompt.js';
import type { ParameterRole, ParameterSchema } from './parameter-schema.js';
import { samplingParameters } from './sampling.js';
import type { SolverName } from './solvers.js';
import { styleParameters } from './style.js';

const definitions = {
  ...promptParameters,
  ...samplingParameters,
  ...guidanceParameters,
  ...maskParameters,
  ...styleParameters,
  ...controlParameters,
  ...attentionBankParameters,
  ...pictureParameters,
};

type Definitions = typeof definitions;
export type ParameterName = keyof Definitions;

/**
 * Every parameter of a stream: the single source for the type of its value, the server's validation,
 * `GET /v1/capabilities` (with the model's own defaults and sizes), the controls of pages, the options of `millrace run`,
 * and for when a change takes effect.
 */
export const parameterSchemas: Readonly<Record<ParameterName, ParameterSchema>> = definitions;

/** One text of a blended prompt. */
export interface WeightedPrompt {
  readonly text: string;
  /** Weight of this text in the blend; only ratios matter, and at least one must be above 0. */
  readonly weight: number;
}

/** One seed of blended noise. */
export interface WeightedSeed {
  readonly seed: number;
  readonly weight: number;
}

/** The values of parameters that are neither a choice nor plain. */
interface Composite {
  readonly prompt: string | readonly WeightedPrompt[];
  readonly seed: number | readonly WeightedSeed[];
  readonly t_index_list: readonly number[] | null;
  readonly solver_schedule: readonly SolverName[] | null;
  readonly controls: Readonly<Record<string, ControlSettings>>;
  readonly mask_preprocessor: string;
  /** A file; text is what a server calls the one in force, or in JSON a file as base64; null: none. */
  readonly style_image: Uint8Array | string | null;
}

/** The value of a parameter, by its definition. */
type ValueOf<Definition> = Definition extends { readonly enum: readonly (infer Choice)[] }
  ? Choice
  : Definition extends { readonly type: infer Type extends keyof Plain }
    ? Plain[Type]
    : never;

interface Plain {
  readonly boolean: boolean;
  readonly integer: number;
  readonly number: number;
  readonly string: string;
}

type Values = {
  readonly [Name in ParameterName]: Name extends keyof Composite
    ? Composite[Name]
    : ValueOf<Definitions[Name]>;
};

/**
 * Everything that a client can set on its stream, at the start (`hello`) or at any frame (`update`).
 * Names follow StreamDiffusion and diffusers; ranges and defaults are in `parameterSchemas`.
 */
export interface StreamParameters extends Values {}

/** A change of some parameters. */
export type ParameterUpdate = Partial<StreamParameters>;

/** The names of all parameters, in the order in which they are shown. */
export const parameterNames = Object.keys(definitions) as readonly ParameterName[];

/** Returns whether any parameter that acts on this has another value. */
export function differIn(role: ParameterRole, a: StreamParameters, b: StreamParameters): boolean {
  return parameterNames.some(
    (name) => parameterSchemas[name]['x-applies'].includes(role) && !isSameValue(a[name], b[name]),
  );
}

/** Returns whether two values of a parameter are the same. */
export function isSameValue(a: unknown, b: unknown): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    return a.length === b.length && a.every((byte, i) => byte === b[i]);
  }
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
