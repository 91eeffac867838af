import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSessionKeys } from '../../../src/session/access/session-keys.js';

const start = 1_800_000_000_000;

describe('the keys of a session', () => {
  it('prove ownership of that session alone', () => {
    const keys = createSessionKeys({ secret: 'ours' });
    const key = keys.ofOwner('a');
    assert.ok(keys.isOfOwner('a', key));
    for (const other of ['', `${key}x`, key.slice(1), keys.ofOwner('b'), keys.ofViewer('a', 60)]) {
      assert.ok(!keys.isOfOwner('a', other), other);
    }
    assert.ok(!keys.isOfOwner('b', key));
  });

  it('let viewers in until they expire', () => {
    let time = start;
    const keys = createSessionKeys({ secret: 'ours', now: () => time });
    const key = keys.ofViewer('a', 60);
    assert.ok(keys.isOfViewer('a', key));
    time += 59_000;
    assert.ok(keys.isOfViewer('a', key));
    time += 2000;
    assert.ok(!keys.isOfViewer('a', key));
  });

  it('cannot be forged: neither their expiry, nor their session, nor their signature', () => {
    const keys = createSessionKeys({ secret: 'ours', now: () => start });
    const [expires = '', signature = ''] = keys.ofViewer('a', 60).split('.');
    const later = (Number.parseInt(expires, 36) + 1000).toString(36);
    const flipped = (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1);
    const forged = [
      `${later}.${signature}`,
      `${expires}.${flipped}`,
      `${expires}.`,
      expires,
      `.${signature}`,
      `${expires}.${signature}.${signature}`,
      `zzzzzzzzzz.${signature}`,
      keys.ofViewer('b', 60),
      keys.ofOwner('a'),
      '',
    ];
    for (const key of forged) assert.ok(!keys.isOfViewer('a', key), key);
  });

  it('are the same on servers with the same secret, and differ between processes without one', () => {
    const key = createSessionKeys({ secret: 'ours' }).ofViewer('a', 60);
    assert.ok(createSessionKeys({ secret: 'ours' }).isOfViewer('a', key));
    assert.ok(!createSessionKeys({ secret: 'theirs' }).isOfViewer('a', key));
    assert.ok(
      !createSessionKeys({ secret: '' }).isOfOwner('a', createSessionKeys({ secret: '' }).ofOwner('a')),
    );
  });
});
