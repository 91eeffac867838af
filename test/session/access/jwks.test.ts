import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { exportJWK, SignJWT } from 'jose';
import { createAccess } from '../../../src/session/access/access.js';
import { createJwtVerifier, type KeyCache } from '../../../src/session/access/jwt.js';
import { ProtocolError } from '../../../src/session/wire/protocol-error.js';

interface Key {
  readonly kid: string;
  readonly pair: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
}

const newKey = (kid: string): Key => ({ kid, pair: generateKeyPairSync('ec', { namedCurve: 'P-256' }) });

function tokenOf({ kid, pair }: Key): Promise<string> {
  const claims = { sub: 'ann', exp: Math.floor(Date.now() / 1000) + 600 };
  return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid }).sign(pair.privateKey);
}

describe('keys from a URL', () => {
  let server: Server;
  let keys: string;
  let published: readonly Key[] = [];
  let status = 200;
  let fetches = 0;

  beforeEach(async () => {
    status = 200;
    fetches = 0;
    published = [newKey('one')];
    server = createServer((_request, response) => {
      fetches += 1;
      void Promise.all(
        published.map(async ({ kid, pair }) => ({ ...(await exportJWK(pair.publicKey)), kid, alg: 'ES256' })),
      ).then((set) => response.writeHead(status).end(JSON.stringify({ keys: set })));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    keys = `http://127.0.0.1:${address.port}/jwks.json`;
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const verifier = (cache: Partial<KeyCache> = {}): ReturnType<typeof createJwtVerifier> =>
    createJwtVerifier(
      { secret: '', keys, audience: '', issuer: '' },
      { maxAge: 600_000, cooldown: 600_000, ...cache },
    );
  const unavailable = (error: unknown): boolean =>
    error instanceof ProtocolError && error.code === 'internal';
  const first = (): Key => published[0] ?? newKey('none');

  it('are fetched once, and kept', async () => {
    const verify = await verifier();
    const token = await tokenOf(first());
    for (let i = 0; i < 3; i++) assert.equal((await verify(token)).subject, 'jwt::ann');
    assert.equal(fetches, 1);
  });

  it('may be rotated: a new key is found, a removed one is refused', async () => {
    const verify = await verifier({ cooldown: 0 });
    const old = first();
    await verify(await tokenOf(old));
    const next = newKey('two');
    published = [old, next];
    assert.equal((await verify(await tokenOf(next))).subject, 'jwt::ann');
    assert.equal((await verify(await tokenOf(old))).subject, 'jwt::ann');
    assert.equal(fetches, 2);
    published = [next];
    const later = await verifier();
    await later(await tokenOf(next));
    await assert.rejects(later(await tokenOf(old)), /no applicable key/);
  });

  it('are not fetched again and again for tokens with unknown keys', async () => {
    const verify = await verifier();
    await verify(await tokenOf(first()));
    for (let i = 0; i < 5; i++)
      await assert.rejects(verify(await tokenOf(newKey(`x${i}`))), /no applicable key/);
    assert.equal(fetches, 1);
    // The right key id with the wrong key does not help either.
    await assert.rejects(verify(await tokenOf(newKey('one'))), /signature/);
  });

  it('stay usable from memory while their server is down, until they expire', async () => {
    const verify = await verifier();
    const brief = await verifier({ maxAge: 0, cooldown: 0 });
    const token = await tokenOf(first());
    await verify(token);
    await brief(token);
    status = 500;
    await verify(token);
    await assert.rejects(brief(token), unavailable);
    status = 200;
    await brief(token);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await verify(token);
    await assert.rejects(brief(token), unavailable);
  });

  it('that cannot be fetched are not an error of the client: it may try again', async () => {
    published = [];
    status = 503;
    const jwt = { secret: '', keys, audience: '', issuer: '' };
    const access = await createAccess({ apiKeys: '', jwt });
    await assert.rejects(access.verify(await tokenOf(newKey('one'))), unavailable);
    await assert.rejects(access.verify('no token'), { code: 'unauthorized' });
    published = [newKey('one')];
    status = 200;
    assert.equal((await access.verify(await tokenOf(first()))).subject, 'jwt::ann');
    await assert.rejects(access.verify(await tokenOf(newKey('two'))), { code: 'unauthorized' });
  });
});
