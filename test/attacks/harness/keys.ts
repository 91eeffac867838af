import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApiKey } from '../../../src/session/access/api-keys.js';
import type { AttackCase } from '../attack.js';

/** The keys of a case, and the flags of a server that requires them. */
export interface Keys extends AsyncDisposable {
  readonly flags: readonly string[];
  readonly bystander: string | undefined;
  readonly attackers: string | undefined;
}

/** @param limits of the attackers' key; undefined for a server that requires no key. */
export async function createKeys(limits: AttackCase['keyLimits']): Promise<Keys> {
  if (limits === undefined) {
    return { flags: [], bystander: undefined, attackers: undefined, [Symbol.asyncDispose]: async () => {} };
  }
  const folder = await mkdtemp(join(tmpdir(), 'millrace-attacks-'));
  const file = join(folder, 'keys.json');
  const [bystander, attackers] = [createApiKey('bystander', {}), createApiKey('attackers', limits)];
  await writeFile(file, JSON.stringify([bystander.entry, attackers.entry]));
  return {
    flags: ['--api-keys', file],
    bystander: bystander.key,
    attackers: attackers.key,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
