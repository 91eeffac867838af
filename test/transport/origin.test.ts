import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLoopback, originAllowed } from '../../src/transport/origin.js';

describe('isLoopback', () => {
  for (const host of ['localhost', 'LOCALHOST', 'app.localhost', '127.0.0.1', '127.1.2.3', '::1', '[::1]']) {
    it(`accepts ${host}`, () => assert.equal(isLoopback(host), true));
  }
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.evil.example', 'localhost.example', '']) {
    it(`rejects ${host === '' ? 'an empty name' : host}`, () => assert.equal(isLoopback(host), false));
  }
});

describe('originAllowed', () => {
  const local = { allowed: [], loopback: true };
  const open = { allowed: ['https://friend.example'], loopback: false };
  const cases = [
    ['no origin', undefined, 'localhost:8420', local, true],
    ['its own page', 'http://localhost:8420', 'localhost:8420', local, true],
    ['its own page by number', 'http://[::1]:8420', '[::1]:8420', local, true],
    ['another port', 'http://localhost:3000', 'localhost:8420', local, false],
    ['another name', 'https://evil.example', 'localhost:8420', local, false],
    [
      'a foreign name that resolves to this machine',
      'http://evil.example:8420',
      'evil.example:8420',
      local,
      false,
    ],
    ['its own page of an open server', 'https://me.example', 'Me.example', open, true],
    ['an allowed origin', 'https://friend.example', 'me.example', open, true],
    ['an allowed origin by http instead of https', 'http://friend.example', 'me.example', open, false],
    ['a page without an origin', 'null', 'me.example', open, false],
    ['no host', 'https://me.example', undefined, open, false],
    [
      'any origin, if all are allowed',
      'https://evil.example',
      'me.example',
      { ...open, allowed: ['*'] },
      true,
    ],
  ] as const;
  for (const [what, origin, host, rules, allowed] of cases) {
    it(`${allowed ? 'accepts' : 'rejects'} ${what}`, () => {
      assert.equal(originAllowed(origin, host, rules), allowed);
    });
  }
});
