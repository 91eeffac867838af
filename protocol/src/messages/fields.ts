import type { ErrorCode } from '../errors.js';
import type { ParameterUpdate, StreamParameters } from '../parameters/index.js';
import type { DropReason } from './frames.js';

/** The kinds of fields on the wire, with their types in TypeScript. PROTOCOL.md section 2 defines them. */
interface Kinds {
  readonly text: string;
  readonly number: number;
  readonly 'number or nil': number | null;
  /** An integer from 0 to 2^53-1. */
  readonly count: number;
  readonly boolean: boolean;
  readonly binary: Uint8Array;
  readonly 'map of binary': Readonly<Record<string, Uint8Array>>;
  readonly 'map of numbers': Readonly<Record<string, number>>;
  /** All parameters of a stream. */
  readonly parameters: StreamParameters;
  /** Some parameters; their receiver checks each one. */
  readonly changes: ParameterUpdate;
  /** A code of the catalogue, or a text that only a newer version knows. */
  readonly code: ErrorCode;
  /** A reason of `drops`, or a text that only a newer version knows. */
  readonly reason: DropReason;
}

/** One field of a message. */
export interface Field {
  /** `map` if it is a map with the fields of `fields`, `list` if it is a list of such maps. */
  readonly kind: keyof Kinds | 'map' | 'list';
  /** What it is, with its unit, as in PROTOCOL.md. */
  readonly meaning: string;
  /** Whether it may be absent, or nil, which means the same. */
  readonly optional?: true;
  /** Longest text, in UTF-16 code units. */
  readonly most?: number;
  readonly fields?: Fields;
}

/** The fields of a message or map by their names. */
export type Fields = Readonly<Record<string, Field>>;

/** One message; its name is its `type`. */
export interface MessageDefinition {
  readonly meaning: string;
  readonly fields: Fields;
}

/** The type of one field's value. */
type ValueOf<F extends Field> = F extends { readonly fields: infer Inner extends Fields }
  ? F['kind'] extends 'list'
    ? readonly FieldsOf<Inner>[]
    : FieldsOf<Inner>
  : F['kind'] extends keyof Kinds
    ? Kinds[F['kind']]
    : never;

/** The names of the fields that may be absent. */
type OptionalNames<Table extends Fields> = {
  readonly [Name in keyof Table]: Table[Name] extends { readonly optional: true } ? Name : never;
}[keyof Table];

/** The type of a map with these fields. */
export type FieldsOf<Table extends Fields> = {
  readonly [Name in Exclude<keyof Table, OptionalNames<Table>>]: ValueOf<Table[Name]>;
} & {
  readonly [Name in OptionalNames<Table>]?: ValueOf<Table[Name]>;
};

/** The type of a message of a table. */
export type MessageOf<Table extends Readonly<Record<string, MessageDefinition>>, Type extends keyof Table> = {
  readonly type: Type;
} & FieldsOf<Table[Type]['fields']>;
