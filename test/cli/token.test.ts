import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAccess } from '../../src/session/access/access.js';
import { runMillrace, startMillrace } from '../support/command.js';

const secret = 'a secret of thirty-two bytes or more';

const command = ['token', 'ann', '--secret', secret];

/** Asserts that these options are refused with this line. */
async function assertRefused(line: string, ...options: readonly string[]): Promise<void> {
  const expected = { code: 2, stdout: '', stderr: `millrace: ${line}\n` };
  assert.deepEqual(await runMillrace([...command, ...options]), expected);
}

describe('millrace token', () => {
  it('makes a token that the server accepts, with its limits', async () => {
    const access = await createAccess({ apiKeys: '', jwt: { secret, keys: '', audience: '', issuer: '' } });
    const limited = ['--sessions', '2', '--fps', '7.5', '--size', '512', '--steps', '4'];
    const { stdout } = await startMillrace([...command, ...limited]).ended;
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
      await assertRefused(`the limit ${name} must be ${what} above 0`, `--${name}=${value}`);
    }
  });

  it('refuses a secret or a key that no server accepts', async () => {
    await assertRefused('the secret for tokens must have at least 32 bytes', '--secret', 'short');
    await assertRefused('package.json is not a private key in PEM that can be read', '--key', 'package.json');
  });
});
