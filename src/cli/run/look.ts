import { parameterSchemas, parseLooks, type Look, type ParameterName } from '@millrace/protocol';
import { oneLine } from '../../engine/as-error.js';
import { RunError } from './run-error.js';
import { readTextFile } from './text-file.js';

/**
 * Reads the parameters of a look, without those that matter to live streams only.
 * @param option a file of looks, with # and a name if it has several.
 * @throws {RunError} that names the file, and the looks that it has.
 */
export async function readLook(option: string): Promise<Readonly<Record<string, unknown>>> {
  const [, file = option, name] = /^(.+?)(?:#([^#]*))?$/s.exec(option) ?? [];
  const { parameters } = choose(await readLooks(file), name, file);
  return Object.fromEntries(
    Object.entries(parameters).filter(([key]) => !parameterSchemas[key as ParameterName]['x-live']),
  );
}

async function readLooks(file: string): Promise<readonly Look[]> {
  const text = await readTextFile(file);
  try {
    return parseLooks(text);
  } catch (cause) {
    throw new RunError(`${file}: ${oneLine(cause)}`, { cause });
  }
}

function choose(looks: readonly Look[], name: string | undefined, file: string): Look {
  const found = name === undefined ? looks : looks.filter((look) => look.name === name);
  const [first, second] = found;
  if (first && (name !== undefined || !second)) return first;
  if (looks.length === 0) throw new RunError(`${file} has no looks`);
  const names = looks.map((look) => `"${look.name}"`).join(', ');
  const advice = `choose one of ${names}, as in --look ${file}#${looks[0]?.name}`;
  throw new RunError(
    name === undefined
      ? `${file} has ${looks.length} looks: ${advice}`
      : `${file} has no look "${name}": ${advice}`,
  );
}
