import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { repositoryRoot } from '../support/reference.js';
import { assertKnownSettings } from './known-settings.js';
import { complaintsOf, findProgram } from './programs.js';

const folder = join(repositoryRoot, 'ops/systemd');
const unit = readFileSync(join(folder, 'millrace.service'), 'utf8');
const cuda = readFileSync(join(folder, 'cuda.conf'), 'utf8');
const analyze = findProgram('systemd-analyze');
/** Before version 250 it can judge only installed services. */
const skipSecurity =
  analyze.skip ||
  (complaintsOf(analyze, ['security', '--offline=true', '--version']) === null
    ? false
    : 'systemd-analyze is too old to judge a file');
/** Highest allowed exposure, in tenths: systemd rates values below 2 as OK. */
const worstExposure = 20;

describe('ops/systemd', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'millrace-systemd-'));
  after(() => rmSync(scratch, { recursive: true }));
  // With an existing program, since systemd-analyze checks that it exists.
  const file = join(scratch, 'millrace.service');
  writeFileSync(file, unit.replace('/usr/local/bin/millrace', process.execPath));

  it('uses only existing settings', () => {
    assertKnownSettings(`${unit}\n${cuda}`);
  });

  it('gives the server more time to stop than it needs', () => {
    assert.ok(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]) >= 20 + 30);
  });

  it('is valid according to systemd-analyze', { skip: analyze.skip }, () => {
    assert.equal(complaintsOf(analyze, ['verify', '--man=no', file]), null);
  });

  it('is hardened according to systemd-analyze', { skip: skipSecurity }, () => {
    const args = ['security', '--offline=true', '--no-pager', `--threshold=${worstExposure}`, file];
    assert.equal(complaintsOf(analyze, args), null);
  });

  it('is also valid with a GPU, according to systemd-analyze', { skip: analyze.skip }, () => {
    // Drop-ins are not read for a file outside the unit paths, so their section is appended to that of the unit.
    const withGpu = join(scratch, 'with-gpu.service');
    const [before = '', install = ''] = readFileSync(file, 'utf8').split('[Install]');
    writeFileSync(withGpu, `${before}\n${cuda}\n[Install]${install}`);
    assert.equal(complaintsOf(analyze, ['verify', '--man=no', withGpu]), null);
  });
});
