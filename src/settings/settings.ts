import { readFileSync } from 'node:fs';
import { parseJson } from '../text/decode-text.js';
import { flagOf, variableOf, type Setting } from './setting.js';
import { settingsTable, type SettingName } from './settings-table.js';

type Value<S extends Setting> = S extends { readonly type: 'integer' | 'number' }
  ? number
  : S extends { readonly type: 'switch' }
    ? boolean
    : S extends { readonly type: 'list' }
      ? S extends { readonly choices: readonly (infer Choice)[] }
        ? readonly Choice[]
        : readonly string[]
      : S extends { readonly choices: readonly (infer Choice)[] }
        ? Choice
        : string;

/** All settings of the server, checked and frozen. */
export type Settings = { readonly [Name in SettingName]: Value<(typeof settingsTable)[Name]> };

/** A setting with an invalid value. The message is one line that names it. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

export interface SettingsSources {
  /** Values of flags by setting name: text from the command line, or values of the setting's own type. */
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Path of a JSON file with setting names as keys. */
  readonly file?: string;
  /** Values instead of the usual defaults. */
  readonly defaults?: Partial<Settings>;
}

const names = Object.keys(settingsTable) as SettingName[];

/**
 * Reads the settings: flags win over environment variables, those over the file, the file over defaults.
 * @throws {SettingsError} if a setting is invalid or unknown.
 */
export function readSettings({ flags = {}, environment = {}, file, defaults }: SettingsSources): Settings {
  const contents = file === undefined ? {} : readFile(file);
  const settings = Object.fromEntries(
    names.map((name) => {
      const candidates: readonly (readonly [source: string, value: unknown])[] = [
        [flagOf(name), flags[name]],
        [variableOf(name), environment[variableOf(name)]],
        ...(name === 'port' ? [['PORT', environment['PORT']] as const] : []),
        [`${name} in ${file}`, contents[name]],
      ];
      const given = candidates.find(([, value]) => value !== undefined);
      const setting = settingsTable[name];
      return [name, given ? parse(setting, ...given) : (defaults?.[name] ?? setting.default)];
    }),
  );
  return Object.freeze(settings) as Settings;
}

function readFile(path: string): Readonly<Record<string, unknown>> {
  let contents: unknown;
  try {
    contents = parseJson(readFileSync(path));
  } catch (error) {
    throw new SettingsError(`--config ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof contents !== 'object' || contents === null || Array.isArray(contents)) {
    throw new SettingsError(`--config ${path}: must hold a JSON object with settings`);
  }
  const unknown = Object.keys(contents).find((key) => !Object.hasOwn(settingsTable, key));
  if (unknown !== undefined) throw new SettingsError(`--config ${path}: unknown setting ${unknown}`);
  return { ...contents };
}

/** Parses a value from any source, as text or as the type of the setting. */
function parse(setting: Setting, source: string, value: unknown): Setting['default'] {
  switch (setting.type) {
    case 'integer':
    case 'number': {
      const [least, most] = setting.range;
      const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
      const fits = typeof number === 'number' && number >= least && number <= most;
      if (fits && (setting.type === 'number' || Number.isInteger(number))) return number;
      const noun = setting.type === 'integer' ? 'an integer' : 'a number';
      return refuse(source, `${noun} from ${least} to ${most}`, value);
    }
    case 'text':
      return typeof value === 'string' ? value : refuse(source, 'text', value);
    case 'switch':
      if (value === true || value === 'true' || value === '1') return true;
      if (value === false || value === 'false' || value === '0' || value === '') return false;
      return refuse(source, 'true or false', value);
    case 'choice':
      return typeof value === 'string' && setting.choices.includes(value)
        ? value
        : refuse(source, `one of ${setting.choices.join(', ')}`, value);
    case 'list': {
      const items: unknown = typeof value === 'string' ? value.split(',').map((item) => item.trim()) : value;
      const fits = Array.isArray(items) && items.every((item) => typeof item === 'string');
      if (!fits) return refuse(source, 'a list of texts', value);
      const texts = items.filter((item) => item !== '');
      const { choices } = setting;
      if (choices === undefined || texts.every((text) => choices.includes(text))) return texts;
      return refuse(source, `a list of ${choices.join(', ')}`, value);
    }
  }
}

function refuse(source: string, allowed: string, value: unknown): never {
  throw new SettingsError(`${source} must be ${allowed}, not ${JSON.stringify(value)}`);
}
