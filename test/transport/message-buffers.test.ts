import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MessageBuffers } from '../../src/transport/message-buffers.js';

describe('MessageBuffers', () => {
  it('returns large enough buffers, and reuses those that were given back', () => {
    const buffers = new MessageBuffers();
    const first = buffers.take(20_000);
    assert.ok(first.length >= 20_000);
    assert.notEqual(buffers.take(20_000), first);
    buffers.give(first);
    assert.equal(buffers.take(30_000), first);
    buffers.give(first);
    const larger = buffers.take(first.length + 1);
    assert.ok(larger !== first && larger.length > first.length);
  });

  it('keeps no more than it needs', () => {
    const buffers = new MessageBuffers();
    const taken = Array.from({ length: 100 }, () => buffers.take(1));
    for (const buffer of taken) buffers.give(buffer);
    const again = Array.from({ length: 100 }, () => buffers.take(1));
    assert.ok(again.filter((buffer) => taken.includes(buffer)).length < 50);
  });
});
