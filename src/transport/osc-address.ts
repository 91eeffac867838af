import {
  parameterFromText,
  parameterSchemas,
  type ParameterName,
  type ParameterSchema,
} from '@millrace/protocol';
import { OscError, type OscMessage, type OscValue } from './osc-packet.js';

/** What a message asks for. */
export interface Steering {
  /** Id of the session; null for all. */
  readonly session: string | null;
  /** Parameters as in an `update`, not checked yet. */
  readonly update: Readonly<Record<string, unknown>>;
}

/** The first part of the addresses. */
export const oscRoot = 'millrace';

/** Controls of StreamDiffusionTD with another name or another form here. */
const aliases: Readonly<Record<string, ParameterName>> = {
  prompt_list: 'prompt',
  seed_list: 'seed',
  t_list: 't_index_list',
  prompt_interpolation_method: 'prompt_blend',
  ipadapter_scale: 'ip_adapter_scale',
  latent_feedback_strength: 'latent_feedback',
};

/** Those that are buttons. */
const buttons: Readonly<Record<string, Steering['update']>> = {
  pause: { paused: true },
  stop_streaming: { paused: true },
  play: { paused: false },
  start_streaming: { paused: false },
};

/** Values with another name. */
const words: Readonly<Record<string, string>> = { linear: 'lerp' };

/** The keys of weighted texts and seeds. */
const weighted: Readonly<Partial<Record<ParameterName, string>>> = { prompt: 'text', seed: 'seed' };

/**
 * Returns what a message asks for: `/millrace/NAME` and `/NAME` for all sessions, `/millrace/SESSION/NAME` for one.
 * @throws {OscError} if there is no such address, or its values have the wrong form.
 */
export function readSteering({ address, values }: OscMessage): Steering {
  const parts = address.split('/').slice(1);
  const rest = parts[0] === oscRoot ? parts.slice(1) : parts;
  const [name = ''] = rest.slice(-1);
  const session = parts[0] === oscRoot && rest.length === 2 ? (rest[0] ?? null) : null;
  const isNested = rest.length > 1 && session === null;
  const button = isNested || !Object.hasOwn(buttons, name) ? undefined : buttons[name];
  // A button sends 0 when it is released.
  if (button) return { session, update: values[0] === 0 ? {} : button };
  const parameter = Object.hasOwn(aliases, name) ? aliases[name] : name;
  if (isNested || parameter === undefined || !isParameter(parameter)) {
    throw new OscError(`there is no address ${address.slice(0, 64)}`);
  }
  return { session, update: { [parameter]: readParameter(parameter, address, values) } };
}

function isParameter(name: string): name is ParameterName {
  return Object.hasOwn(parameterSchemas, name);
}

/** Gives values the form of their parameter; whether they are allowed is checked later. */
function readParameter(name: ParameterName, address: string, values: readonly OscValue[]): unknown {
  const [first] = values;
  if (first === undefined) throw new OscError(`${address} needs a value`);
  const schema = parameterSchemas[name];
  const key = weighted[name];
  if (values.length > 1 && key !== undefined) return readWeighted(key, address, values);
  const isList = [schema.type].flat().includes('array');
  if (isList && (values.length > 1 || typeof first === 'number')) return values.map(rounded);
  if (values.length > 1) throw new OscError(`${address} needs one value, not ${values.length}`);
  if (typeof first !== 'string') return fromNumber(schema, first);
  const value = parameterFromText(schema, words[first] ?? first);
  return key !== undefined && Array.isArray(value) ? readPairs(key, address, value) : value;
}

/** Reads values such as `"oil" 0.7 "ink" 0.3`. */
function readWeighted(key: string, address: string, values: readonly OscValue[]): unknown {
  if (values.length % 2 !== 0) throw new OscError(`${address} needs a weight after each value`);
  return Array.from({ length: values.length / 2 }, (_, index) => ({
    [key]: values[2 * index],
    weight: values[2 * index + 1],
  }));
}

/** Reads JSON such as `[["oil", 0.7], ["ink", 0.3]]`; entries of the protocol's own form stay as they are. */
function readPairs(key: string, address: string, entries: readonly unknown[]): unknown {
  return entries.map((entry) => {
    if (!Array.isArray(entry)) return entry;
    if (entry.length !== 2) throw new OscError(`${address} needs pairs of a value and its weight`);
    const [value, weight] = entry as readonly unknown[];
    return { [key]: value, weight };
  });
}

/** Faders send numbers with fractions, and buttons numbers, whatever they are for. */
function fromNumber({ type }: ParameterSchema, value: OscValue): unknown {
  const types = new Set([type].flat());
  if (typeof value === 'number' && types.has('boolean')) return value !== 0;
  const isWhole = types.has('integer') || (type === undefined && typeof value === 'number');
  return isWhole ? rounded(value) : value;
}

function rounded(value: OscValue): OscValue {
  return typeof value === 'number' ? Math.round(value) : value;
}
