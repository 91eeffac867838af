// Asks the registry for known vulnerabilities of packages that users get. Skipped if the registry does not answer.
import process from 'node:process';
import { isStarted, run } from './lib.mjs';

/** Severities that fail the check. */
const serious = new Set(['high', 'critical']);

/**
 * Reads the output of `npm audit --json`.
 * @returns {{ answered: boolean, serious: readonly string[] }}
 */
export function readAudit(output) {
  const { vulnerabilities } = parse(output);
  if (typeof vulnerabilities !== 'object') return { answered: false, serious: [] };
  const found = Object.values(vulnerabilities).filter(({ severity }) => serious.has(severity));
  return {
    answered: true,
    serious: found.map(({ name, severity, range }) => `${name} ${range}: ${severity}`),
  };
}

function parse(output) {
  try {
    return JSON.parse(output);
  } catch {
    return {};
  }
}

if (isStarted(import.meta.url)) {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const args = [
    'audit',
    '--json',
    '--omit=dev',
    '--fetch-retries=0',
    '--fetch-timeout=10000',
    '--loglevel=silent',
  ];
  const { output } = await run(npm, args, { quiet: true });
  const audit = readAudit(output);
  if (!audit.answered) console.log('skipped: the registry does not answer audit requests');
  for (const line of audit.serious) console.log(line);
  process.exitCode = audit.serious.length ? 1 : 0;
}
