import assert from 'node:assert/strict';
import { flagOf, variableOf } from '../../src/settings/setting.js';
import { settingsTable } from '../../src/settings/settings-table.js';

const names = Object.keys(settingsTable);
const variables = new Set(names.map(variableOf));
const flags = new Set([...names.map(flagOf), '--config']);

/**
 * Asserts that each flag in the code of a text is one of `serve`.
 * @param others flags, without dashes, of other commands that the text explains.
 */
export function assertKnownFlags(text: string, others: readonly string[] = []): void {
  const named = [...text.matchAll(/`(--[a-z][a-z-]+)[^`]*`/g)].map(([, flag = '']) => flag);
  assert.ok(named.length > 0);
  assert.deepEqual(
    named.filter((flag) => !flags.has(flag) && !others.includes(flag.slice(2))),
    [],
  );
}

/** Asserts that each MILLRACE_ variable and each flag of `serve` in a text exists. */
export function assertKnownSettings(text: string): void {
  const wrongVariables = (text.match(/\bMILLRACE_[A-Z0-9_]+/g) ?? []).filter((name) => !variables.has(name));
  const calls = text.match(/\bserve\b[^\n]*/g) ?? [];
  const wrongFlags = calls
    .flatMap((call) => call.match(/--[a-z][a-z-]+/g) ?? [])
    .filter((flag) => !flags.has(flag));
  assert.deepEqual([...wrongVariables, ...wrongFlags], []);
}
