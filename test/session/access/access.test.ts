import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { SignJWT } from 'jose';
import { errors } from '@millrace/protocol';
import { accessSettings, asksForTokens, createAccess } from '../../../src/session/access/access.js';
import { createApiKey } from '../../../src/session/access/api-keys.js';
import { anonymous } from '../../../src/session/access/grant.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-access-'));
after(() => rm(folder, { recursive: true }));
const file = join(folder, 'keys.json');
const { key, entry } = createApiKey('ann', {});
await writeFile(file, JSON.stringify([entry]));

const secret = 'a secret of thirty-two bytes or more';
const none = { apiKeys: '', jwtSecret: '', jwtKeys: '', jwtAudience: '', jwtIssuer: '' };
const unauthorized = { code: 'unauthorized', message: errors.unauthorized.meaning };

function jwt(expires: string): Promise<string> {
  return new SignJWT({ sub: 'bob' })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(expires)
    .sign(new TextEncoder().encode(secret));
}

it('without keys and a secret all clients are admitted, with any token or none', async () => {
  const access = await createAccess(accessSettings(none));
  assert.equal(access.required, false);
  for (const token of ['any', undefined]) assert.equal(await access.verify(token), anonymous);
});

it('tokens are required if one of these is set', () => {
  assert.equal(asksForTokens(accessSettings(none)), false);
  assert.equal(asksForTokens(accessSettings({ ...none, jwtAudience: 'a', jwtIssuer: 'b' })), false);
  for (const name of ['apiKeys', 'jwtSecret', 'jwtKeys']) {
    assert.equal(asksForTokens(accessSettings({ ...none, [name]: 'x' })), true, name);
  }
});

it('the settings keep their meaning', () => {
  assert.deepEqual(
    accessSettings({ apiKeys: 'a', jwtSecret: 'b', jwtKeys: 'c', jwtAudience: 'd', jwtIssuer: 'e' }),
    { apiKeys: 'a', jwt: { secret: 'b', keys: 'c', audience: 'd', issuer: 'e' } },
  );
});

it('an API key is accepted, and nothing else if only API keys are set', async () => {
  const access = await createAccess(accessSettings({ ...none, apiKeys: file }));
  assert.equal(access.required, true);
  assert.equal((await access.verify(key)).subject, 'key:ann');
  for (const token of [undefined, '', `${key}x`, await jwt('1h')]) {
    await assert.rejects(access.verify(token), unauthorized);
  }
});

it('a JWT is accepted, and no API key if only JWTs are set', async () => {
  const access = await createAccess(accessSettings({ ...none, jwtSecret: secret }));
  assert.equal(access.required, true);
  assert.equal((await access.verify(await jwt('1h'))).subject, 'jwt::bob');
  for (const token of [undefined, '', key]) await assert.rejects(access.verify(token), unauthorized);
});

it('both are accepted if both are set, and the fault of a token with a valid signature is named', async () => {
  const access = await createAccess(accessSettings({ ...none, apiKeys: file, jwtSecret: secret }));
  assert.equal((await access.verify(key)).subject, 'key:ann');
  assert.equal((await access.verify(await jwt('1h'))).subject, 'jwt::bob');
  for (const token of [undefined, 'x']) await assert.rejects(access.verify(token), unauthorized);
  await assert.rejects(access.verify(await jwt('-1h')), {
    code: 'unauthorized',
    message: 'The token has an invalid claim: exp has passed.',
  });
});

it('unusable keys are reported at the start', async () => {
  const missing = join(folder, 'missing');
  for (const name of ['apiKeys', 'jwtKeys']) {
    await assert.rejects(createAccess(accessSettings({ ...none, [name]: missing })), (error: Error) =>
      error.message.startsWith(`${missing}: `),
    );
  }
});
