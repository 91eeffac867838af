import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { readApiKeys } from '../../src/session/access/api-keys.js';
import { createJwtVerifier } from '../../src/session/access/jwt.js';
import { readSettings } from '../../src/settings/settings.js';
import { startServer } from '../support/server.js';
import { forms } from '../support/text-forms.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-forms-'));
after(() => rm(folder, { recursive: true }));
const file = join(folder, 'file.json');

it('files of a user may have a byte order mark, or be UTF-16', async () => {
  const sha256 = createHash('sha256').update('key').digest('hex');
  for (const [form, bytes] of Object.entries(forms(JSON.stringify([{ name: 'Zoë', sha256 }])))) {
    await writeFile(file, bytes);
    assert.equal((await readApiKeys(file))('key')?.subject, 'key:Zoë', form);
  }
  for (const [form, bytes] of Object.entries(forms('{"maxSessions": 3}'))) {
    await writeFile(file, bytes);
    assert.equal(readSettings({ file }).maxSessions, 3, form);
  }
  for (const [form, bytes] of Object.entries(forms('{"keys": []}'))) {
    await writeFile(file, bytes);
    const settings = { secret: '', keys: file, audience: '', issuer: '' };
    assert.equal(typeof (await createJwtVerifier(settings)), 'function', form);
  }
  await writeFile(file, Buffer.from('{"host": "Zoë"}', 'latin1'));
  assert.throws(() => readSettings({ file }), /file\.json: it is not valid UTF-8 text; save it as UTF-8/);
});

it('the body of a request may have a byte order mark, or be UTF-16', async () => {
  await using server = await startServer();
  await server.app.ready();
  const post = (body: Buffer): Promise<Response> =>
    fetch(`${server.url}/v1/txt2img`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Uint8Array(body),
    });
  for (const [form, bytes] of Object.entries(forms('{"width": 64, "height": 64, "prompt": "Fuchs 🦊"}'))) {
    const response = await post(bytes);
    assert.equal(response.status, 200, `${form}: ${response.status === 200 ? '' : await response.text()}`);
  }
  for (const body of ['{"width": 64', '{"prompt": "Zo\xeb"}', '{"__proto__": {}}', '']) {
    const response = await post(Buffer.from(body, 'latin1'));
    assert.equal(response.status, 400, body);
    assert.match(await response.text(), /"invalid_message"/);
  }
});
