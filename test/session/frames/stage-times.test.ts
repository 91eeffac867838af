import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Frame } from '../../../src/session/frames/frame-ledger.js';
import { stageTimes, stageTimings } from '../../../src/session/frames/stage-times.js';
import { ClientClock } from '../../../src/session/wire/client-clock.js';

const frame: Frame = {
  id: 1,
  captured: 0,
  arrivedAt: 1000,
  place: 'output',
  inputMs: 10,
  queueMs: 20,
  quality: 80,
};
const worker = { queueMs: 9, vaeEncodeMs: 30, denoiseMs: 40, vaeDecodeMs: 50 };

describe('the times of a frame', () => {
  it('cover each stage and the total', () => {
    assert.deepEqual(stageTimings(frame, worker, { encodingAt: 1170, sentAt: 1200 }), {
      decode: 10,
      queue: 20,
      encode: 30,
      denoise: 40,
      vae_decode: 50,
      image_encode: 30,
      total: 200,
    });
  });

  it('are in order, and none is after the sending', () => {
    const clock = new ClientClock();
    const times = (sent: number): Record<string, number | null> => ({
      ...stageTimes(frame, stageTimings(frame, worker, { encodingAt: sent, sentAt: sent }), sent, clock),
    });
    const at = (...ms: number[]): (number | null)[] => ms.map((time) => clock.at(time));
    assert.deepEqual(Object.values(times(1200)), at(1000, 1010, 1030, 1060, 1100, 1150, 1200));
    assert.deepEqual(Object.values(times(1120)), at(1000, 1010, 1030, 1060, 1100, 1120, 1120));
    assert.deepEqual(Object.values(times(1005)), at(1000, 1005, 1005, 1005, 1005, 1005, 1005));
  });
});
