import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { createAccess } from '../../../src/session/access/access.js';
import { ProtocolError } from '../../../src/session/wire/protocol-error.js';

const secret = 'a secret of thirty-two bytes or more';
const soon = Math.floor(Date.now() / 1000) + 600;

const encode = (text: string): string => Buffer.from(text).toString('base64url');

/** Returns a token with this payload, valid or not, and a valid signature. */
function signed(payload: string): string {
  const content = `${encode('{"alg":"HS256"}')}.${encode(payload)}`;
  return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
}

const access = await createAccess({
  apiKeys: '',
  jwt: { secret, keys: '', audience: 'millrace', issuer: '' },
});

/** Returns a valid payload in which some claims are replaced; values are JSON. */
const payload = (claims: Record<string, string>): string => {
  const all = { sub: '"ann"', exp: `${soon}`, aud: '"millrace"', ...claims };
  return `{${Object.entries(all)
    .map(([name, value]) => `"${name}":${value}`)
    .join(',')}}`;
};

describe('claims of a token with a valid signature', () => {
  const wrong: readonly (readonly [claim: string, ...values: string[]])[] = [
    [
      'sub',
      '1',
      'null',
      'true',
      '""',
      '[]',
      '["ann"]',
      '{}',
      '{"toString":1}',
      `"${'x'.repeat(1025)}"`,
      '"\\ud800"',
    ],
    [
      'exp',
      '"soon"',
      `"${soon}"`,
      'null',
      '[]',
      `[${soon}]`,
      '{}',
      'true',
      '-1',
      '0',
      '-1e999',
      '1e999',
      '1e300',
      '8640000000001',
      '1',
    ],
    ['nbf', '"now"', 'null', '[]', `${soon}`, '1e999'],
    ['iat', '"now"', '[]', '{}', 'true'],
    ['aud', '1', 'null', '[]', '[1]', '{}', '"another"', '""'],
    ['iss', '1', 'null', '[]', '{}', '"\\udfff"', `"${'x'.repeat(1025)}"`],
    [
      'millrace',
      '1',
      '"all"',
      'null',
      '[]',
      '[1]',
      '{"fps":"5"}',
      '{"fps":0}',
      '{"fps":-1}',
      '{"fps":1e999}',
      '{"fps":null}',
      '{"size":1.5}',
      '{"sessions":[1]}',
      '{"steps":1e300}',
      '{"unknown":1}',
    ],
  ];
  for (const [claim, ...values] of wrong) {
    for (const value of values) {
      it(`${claim} ${value.slice(0, 40)} is refused, and the error names the claim`, async () => {
        await assert.rejects(access.verify(signed(payload({ [claim]: value }))), (error: unknown) => {
          assert.ok(error instanceof ProtocolError, String(error));
          assert.equal(error.code, 'unauthorized');
          assert.match(error.message, new RegExp(`\\b${claim}\\b`));
          return true;
        });
      });
    }
  }

  const right: readonly Record<string, string>[] = [
    {},
    { exp: `${soon}.5` },
    { exp: '8640000000000' },
    { aud: '["other","millrace"]' },
    { sub: `"${'x'.repeat(1024)}"` },
    { sub: '"ünïcode 😀"' },
    { nbf: '0', iat: '1.5' },
    { millrace: '{"fps":0.5,"sessions":2}' },
  ];
  for (const claims of right) {
    it(`${JSON.stringify(claims).slice(0, 60)} is accepted`, async () => {
      const { subject, expires } = await access.verify(signed(payload(claims)));
      assert.match(subject, /^jwt::./);
      assert.ok(Number.isFinite(expires) && Number(expires) > Date.now());
    });
  }

  it('iss and sub together identify the user', async () => {
    const users = await Promise.all(
      [
        { iss: '"a:b"', sub: '"c"' },
        { iss: '"a"', sub: '"b:c"' },
      ].map((claims) => access.verify(signed(payload(claims)))),
    );
    assert.notEqual(users[0]?.subject, users[1]?.subject);
  });

  it('that are not an object, or not JSON, are refused', async () => {
    for (const text of ['[]', '1', 'null', '"text"', '{', '']) {
      await assert.rejects(access.verify(signed(text)), { code: 'unauthorized' }, text);
    }
  });

  it('are not revealed if the signature is wrong', async () => {
    const forged = signed(payload({ sub: '1' })).replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    const other = `${forged.slice(0, forged.lastIndexOf('.'))}.${encode('x'.repeat(32))}`;
    await assert.rejects(access.verify(other), (error: Error) => !error.message.includes('sub'));
  });
});
