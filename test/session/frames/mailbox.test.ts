import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Mailbox } from '../../../src/session/frames/mailbox.js';

/** A mailbox whose gate and work the test controls. */
function setUp(): {
  readonly mailbox: Mailbox<string>;
  readonly worked: string[];
  readonly dropped: string[];
  readonly gate: { open: boolean };
  readonly finish: () => Promise<void>;
} {
  const worked: string[] = [];
  const dropped: string[] = [];
  const gate = { open: true };
  const finishers: (() => void)[] = [];
  const mailbox = new Mailbox<string>({
    open: () => gate.open,
    dropped: (item) => dropped.push(item),
    work: async (item) => {
      worked.push(item);
      await new Promise<void>((resolve) => finishers.push(resolve));
    },
  });
  const finish = async (): Promise<void> => {
    finishers.shift()?.();
    await turn();
  };
  return { mailbox, worked, dropped, gate, finish };
}

describe('Mailbox', () => {
  it('starts work immediately', () => {
    const { mailbox, worked } = setUp();
    mailbox.put('a');
    assert.deepEqual(worked, ['a']);
  });

  it('keeps only the newest item while it works', async () => {
    const { mailbox, worked, dropped, finish } = setUp();
    for (const item of ['a', 'b', 'c', 'd']) mailbox.put(item);
    assert.deepEqual(worked, ['a']);
    assert.deepEqual(dropped, ['b', 'c']);
    await finish();
    assert.deepEqual(worked, ['a', 'd']);
  });

  it('returns the waiting item', () => {
    const { mailbox } = setUp();
    assert.equal(mailbox.waiting, null);
    mailbox.put('a');
    assert.equal(mailbox.waiting, null, 'work on it has begun');
    mailbox.put('b');
    assert.equal(mailbox.waiting, 'b');
    mailbox.clear();
    assert.equal(mailbox.waiting, null);
  });

  it('works on one item at a time', async () => {
    const { mailbox, worked, finish } = setUp();
    mailbox.put('a');
    mailbox.put('b');
    mailbox.poke();
    assert.deepEqual(worked, ['a']);
    await finish();
    await finish();
    mailbox.put('c');
    assert.deepEqual(worked, ['a', 'b', 'c']);
  });

  it('keeps the newest item while its gate is closed', () => {
    const { mailbox, worked, dropped, gate } = setUp();
    gate.open = false;
    mailbox.put('a');
    mailbox.put('b');
    assert.deepEqual(worked, []);
    assert.deepEqual(dropped, ['a']);
    gate.open = true;
    mailbox.poke();
    assert.deepEqual(worked, ['b']);
  });

  it('checks the gate again when work has ended', async () => {
    const { mailbox, worked, gate, finish } = setUp();
    mailbox.put('a');
    mailbox.put('b');
    gate.open = false;
    await finish();
    assert.deepEqual(worked, ['a']);
  });

  it('drops the waiting item when it is cleared, but not the one in progress', async () => {
    const { mailbox, worked, dropped, finish } = setUp();
    mailbox.put('a');
    mailbox.put('b');
    mailbox.clear();
    mailbox.clear();
    await finish();
    assert.deepEqual(worked, ['a']);
    assert.deepEqual(dropped, ['b']);
  });
});
