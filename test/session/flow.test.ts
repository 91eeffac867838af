import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { Rig } from './rig.js';
import { cases } from '../support/properties.js';

type Step =
  'frame' | 'bad frame' | 'ack' | 'admit' | 'finish' | 'skip' | 'restart' | 'update' | 'resize' | 'turn';

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant<Step>('frame') },
    { weight: 1, arbitrary: fc.constant<Step>('bad frame') },
    { weight: 3, arbitrary: fc.constant<Step>('ack') },
    { weight: 5, arbitrary: fc.constant<Step>('admit') },
    { weight: 4, arbitrary: fc.constant<Step>('finish') },
    { weight: 1, arbitrary: fc.constant<Step>('skip') },
    { weight: 1, arbitrary: fc.constant<Step>('restart') },
    { weight: 1, arbitrary: fc.constant<Step>('update') },
    { weight: 1, arbitrary: fc.constant<Step>('resize') },
    { weight: 6, arbitrary: fc.constant<Step>('turn') },
  ),
  { minLength: 1, maxLength: 80 },
);

const limits = fc.record({
  credits: fc.integer({ min: 1, max: 4 }),
  unacknowledgedResults: fc.integer({ min: 1, max: 3 }),
});

/** Takes one step. Frames are sent with and without a credit for them. */
async function take(step: Step, rig: Rig, ids: { next: number; updates: number }): Promise<void> {
  const { stream } = rig;
  switch (step) {
    case 'frame':
      return rig.frame(ids.next++);
    case 'bad frame':
      return rig.frame(ids.next++, Uint8Array.of(1));
    case 'ack': {
      const last = rig.all('result').at(-1);
      if (last) rig.send({ type: 'ack', sequence: last.sequence });
      return;
    }
    case 'update':
      return rig.send({ type: 'update', request: ids.updates++, parameters: { strength: 0.3 } });
    case 'resize': {
      const width = ids.updates % 2 === 0 ? 72 : 64;
      return rig.send({ type: 'update', request: ids.updates++, parameters: { width } });
    }
    case 'admit':
    case 'finish':
    case 'skip':
    case 'restart':
      return stream[step]();
    case 'turn':
      await turn();
  }
}

/** Runs until all frames and updates are answered. */
async function drain(rig: Rig, ids: { readonly next: number; readonly updates: number }): Promise<void> {
  await rig.until(() => {
    const last = rig.all('result').at(-1);
    if (last) rig.send({ type: 'ack', sequence: last.sequence });
    rig.stream.admit();
    rig.stream.finish();
    const answered = rig.all('result').length + rig.all('dropped').length;
    return answered === ids.next && rig.all('updated').length === ids.updates && rig.stream.lent === 0;
  });
}

describe('any interleaving of client and engine', () => {
  it('answers each frame once, leaks no credit, and keeps to the limit of unacknowledged results', async () => {
    await fc.assert(
      fc.asyncProperty(steps, limits, async (steps, limits) => {
        const rig = await Rig.active(limits);
        const ids = { next: 0, updates: 0 };
        for (const step of steps) {
          await take(step, rig, ids);
          assert.ok(rig.all('result').length - rig.acknowledged <= limits.unacknowledgedResults);
        }
        await drain(rig, ids);

        const answered = [...rig.all('result'), ...rig.all('dropped')].map(({ id }) => id);
        assert.deepEqual(
          answered.toSorted((a, b) => a - b),
          Array.from({ length: ids.next }, (_, id) => id),
        );
        const results = rig.all('result');
        assert.deepEqual(
          results.map(({ sequence }) => sequence),
          results.map((_, index) => index + 1),
        );
        for (const [index, { id }] of results.entries()) assert.ok(id > (results[index - 1]?.id ?? -1));

        const totals = rig.all('credit').map(({ total }) => total);
        assert.deepEqual(
          totals,
          totals.map((_, index) => limits.credits + index + 1),
        );
        assert.equal(totals.length, ids.next);
        assert.equal(rig.wire.closed, null);
        rig.connection.disconnected(1000);
      }),
      { numRuns: cases(60) },
    );
  });
});
