import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { findProgram } from '../ops/programs.js';

export const openssl = findProgram('openssl');

/**
 * Makes a self-signed certificate in a folder, and returns the paths of its PEM files.
 * @param name whose it is: `DNS:NAME` or `IP:ADDRESS`.
 */
export function makeCertificate(
  folder: string,
  name: string,
): { readonly certificate: string; readonly key: string } {
  const [certificate, key] = [join(folder, 'site.pem'), join(folder, 'site.key')];
  const subject = ['-subj', `/CN=${name.split(':')[1]}`, '-addext', `subjectAltName=${name}`];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const files = ['-out', certificate, '-keyout', key];
  const { status, stderr } = spawnSync(openssl.path, ['req', '-x509', ...curve, ...subject, ...files]);
  assert.equal(status, 0, String(stderr));
  return { certificate, key };
}
