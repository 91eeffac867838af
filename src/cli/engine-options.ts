import type { Command } from 'commander';
import { readSettings, type Settings } from '../settings/settings.js';
import { flagOf, settingsTable, variableOf } from '../settings/settings-table.js';

/** The settings of the engine, which commands take that run one of their own; by name, with what stands for a value. */
const placeholders = { model: 'model', device: 'list', threads: 'integer', precision: 'name' } as const;

/** Their flags, as they were given. */
export type EngineFlags = { readonly [Name in keyof typeof placeholders]?: string };

export function addEngineOptions(command: Command): Command {
  for (const [name, placeholder] of Object.entries(placeholders)) {
    const { description } = settingsTable[name as keyof typeof placeholders];
    command.option(`${flagOf(name)} <${placeholder}>`, `${description} (${variableOf(name)})`);
  }
  return command;
}

/** The settings by these flags and the environment. @throws {SettingsError} naming what is wrong. */
export function readEngineSettings({ model, device, threads, precision }: EngineFlags): Settings {
  return readSettings({ flags: { model, device, threads, precision }, environment: process.env });
}
