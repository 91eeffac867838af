import type { Command } from 'commander';
import { readSettings, type Settings } from '../settings/settings.js';
import { flagOf, variableOf } from '../settings/setting.js';
import { settingsTable } from '../settings/settings-table.js';

/** Settings for commands that run an engine, with the placeholders for their values in the help. */
const placeholders = {
  model: 'model',
  device: 'list',
  threads: 'integer',
  precision: 'name',
  calibration: 'name',
} as const;

/** The flags of these settings, as given. */
export type EngineFlags = { readonly [Name in keyof typeof placeholders]?: string };

/** @param names of the settings that the command has; all by default. */
export function addEngineOptions(
  command: Command,
  names = Object.keys(placeholders) as readonly (keyof EngineFlags)[],
): Command {
  for (const name of names) {
    const { description } = settingsTable[name];
    command.option(`${flagOf(name)} <${placeholders[name]}>`, `${description} (${variableOf(name)})`);
  }
  return command;
}

/** Reads the settings from these flags and the environment. @throws {SettingsError} if one is invalid. */
export function readEngineSettings(options: EngineFlags): Settings {
  const { model, device, threads, precision, calibration } = options;
  const flags = { model, device, threads, precision, calibration };
  return readSettings({ flags, environment: process.env });
}
