import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { createAccess } from '../../src/session/access/access.js';
import { repositoryRoot } from '../support/reference.js';

const main = join(repositoryRoot, 'dist/src/cli/main.js');
const secret = 'a secret of thirty-two bytes or more';

function token(...options: string[]): Promise<{ readonly stdout: string }> {
  return promisify(execFile)(process.execPath, [main, 'token', 'ann', '--secret', secret, ...options]);
}

describe('millrace token', () => {
  it('makes a token that the server accepts, with its limits', async () => {
    const access = await createAccess({ apiKeys: '', jwt: { secret, keys: '', audience: '', issuer: '' } });
    const { stdout } = await token('--sessions', '2', '--fps', '7.5', '--size', '512', '--steps', '4');
    const { limits } = await access.verify(stdout.trim());
    assert.deepEqual(limits, { sessions: 2, fps: 7.5, size: 512, steps: 4 });
  });

  it('refuses limits that the server would not accept', async () => {
    const wrong = [
      ['sessions', '1.5', 'a whole number'],
      ['size', 'large', 'a whole number'],
      ['steps', '0', 'a whole number'],
      ['fps', '-1', 'a number'],
      ['fps', '1e999', 'a number'],
    ] as const;
    for (const [name, value, what] of wrong) {
      await assert.rejects(token(`--${name}=${value}`), {
        code: 2,
        stdout: '',
        stderr: `millrace: the limit ${name} must be ${what} above 0\n`,
      });
    }
  });

  it('refuses a secret or a key that no server accepts', async () => {
    await assert.rejects(token('--secret', 'short'), {
      code: 2,
      stdout: '',
      stderr: 'millrace: the secret for tokens must have at least 32 bytes\n',
    });
    await assert.rejects(token('--key', 'package.json'), {
      code: 2,
      stdout: '',
      stderr: 'millrace: package.json is not a private key in PEM that can be read\n',
    });
  });
});
