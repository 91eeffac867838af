import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { motionJpegFrames } from '../../support/frames.js';
import type { Attack, AttackCase } from '../attack.js';
import { sendFrames } from '../clients/frame-client.js';
import { persistAll } from '../clients/persist.js';
import { generateImage } from '../clients/requests.js';

/** Each client requests one picture after another. */
export const oneShots: Attack = {
  name: 'one-shots',
  async attack(target, signal) {
    const agent = new Agent({ keepAlive: true });
    const plan = { address: target.address(), parameters: {}, agent };
    await persistAll(target, signal, () => generateImage(target, plan, signal));
    agent.destroy();
  },
};

/**
 * Each client connects, sends its frames, closes, and connects again.
 * @param pause milliseconds until it connects again.
 */
function arrivalsAttack(name: string, pause: (client: number) => number, frames = 1): Attack {
  return {
    name,
    payloads: () => Promise.resolve(motionJpegFrames('walkers.mjpeg')),
    async attack(target, signal) {
      let visits = 0;
      await persistAll(target, signal, async (client) => {
        const plan = {
          // No more from each address than are allowed in a minute.
          address: target.address(Math.floor(visits++ / 200)),
          parameters: { width: 256, height: 256 },
          pictures: target.payloads,
          frames,
        };
        await sendFrames(target, plan, signal);
        await sleep(pause(client));
      });
    },
  };
}

export const arrivals = arrivalsAttack('arrivals', () => 0);
const spaced = arrivalsAttack('arrivals-spaced', (client) => 20 * 3 ** client);
const pairs = arrivalsAttack('arrivals-pairs', () => Math.random() * 200, 2);

export const newcomerCases: readonly AttackCase[] = [
  ...[4, 8].map((clients) => ({
    name: `one-shots-${clients}`,
    what: `${clients} loops of POST /v1/generate`,
    parts: [{ attack: oneShots, clients }],
    streams: 1,
  })),
  {
    name: arrivals.name,
    what: '3 clients that connect, send one frame, close, and return',
    parts: [{ attack: arrivals, clients: 3 }],
    streams: 3,
  },
  {
    name: spaced.name,
    what: '4 such clients that return after 20, 60, 180 and 540 ms',
    parts: [{ attack: spaced, clients: 4 }],
    streams: 4,
  },
  {
    name: pairs.name,
    what: '5 clients that send two frames and return after up to 200 ms',
    parts: [{ attack: pairs, clients: 5 }],
    streams: 5,
  },
];
