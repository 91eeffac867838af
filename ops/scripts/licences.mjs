// Checks that all packages that are shipped with the server are under permissive licences.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { isStarted, root } from './lib.mjs';

const allowed = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'OFL-1.1',
]);

/** Packages under other licences, and why they are allowed. */
const exceptions = [
  { pattern: /^@ffmpeg\/core$/, why: 'ffmpeg: a program that runs in a separate process, not linked' },
  { pattern: /^@img\/sharp-/, why: 'libvips: LGPL, linked dynamically' },
];

/**
 * @param lock contents of a package-lock.json.
 * @returns {readonly string[]} the packages with forbidden licences, and these licences.
 */
export function forbiddenLicences(lock) {
  return Object.entries(lock.packages)
    .filter(([path, { dev, link }]) => path.startsWith('node_modules/') && !dev && !link)
    .map(([path, { license }]) => ({ name: path.split('node_modules/').at(-1), license }))
    .filter(
      ({ name, license }) => !exceptions.some(({ pattern }) => pattern.test(name)) && !isAllowed(license),
    )
    .map(({ name, license }) => `${name}: ${license ?? 'no licence'}`);
}

/** Whether one alternative (OR) of an SPDX expression has only allowed licences (AND). */
function isAllowed(expression = '') {
  const choices = expression.replaceAll(/[()]/g, '').split(' OR ');
  return choices.some((choice) => choice.split(' AND ').every((name) => allowed.has(name)));
}

if (isStarted(import.meta.url)) {
  const found = forbiddenLicences(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')));
  if (found.length) console.log(`Not under a licence of ops/scripts/licences.mjs:\n${found.join('\n')}`);
  process.exitCode = found.length ? 1 : 0;
}
