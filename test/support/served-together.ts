import type { StreamParameters } from '@millrace/protocol';
import assert from 'node:assert/strict';
import type { Engine } from '../../src/engine/engine.js';
import { greatestDifference } from './compare.js';
import { drawTogether } from './engine.js';

/**
 * Asserts that three users who are served together get what each gets alone, and that the last gets what the first does,
 * from whom it differs by sequential denoising alone.
 */
export async function assertServedAlike(
  engine: Engine,
  users: readonly [StreamParameters, StreamParameters, StreamParameters],
  frames: number,
): Promise<void> {
  const together = await drawTogether(engine, users, frames);
  const [streamed, , sequential] = together;
  assertAlike(streamed, sequential, frames, 'sequential');
  for (const [user, own] of users.entries()) {
    const [alone] = await drawTogether(engine, [own], frames);
    assertAlike(alone, together[user], frames, `user ${user}`);
  }
}

type Results = ReadonlyMap<number, Uint8Array>;

function assertAlike(expected: Results, found: Results, frames: number, who: string): void {
  assert.equal(expected.size, frames, who);
  for (const [frame, pixels] of expected) {
    const difference = greatestDifference(pixels, found.get(frame) ?? new Uint8Array());
    assert.ok(difference <= 1, `${who}, frame ${frame}: ${difference}`);
  }
}
