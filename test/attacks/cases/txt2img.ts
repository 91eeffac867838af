import { Agent } from 'node:http';
import type { Attack, AttackCase } from '../attack.js';
import { persistAll } from '../clients/persist.js';
import { generateImage } from '../clients/requests.js';

/**
 * Each client requests pictures of many steps, of the largest size that the server allows.
 * @param patience milliseconds after which it disconnects.
 */
function heavyAttack(name: string, largest: number, patience: number): Attack {
  return {
    name,
    async attack(target, signal) {
      const agent = new Agent({ keepAlive: true });
      const address = target.address();
      let side = largest;
      await persistAll(target, signal, async () => {
        const tried = side;
        const parameters = { width: tried, height: tried, steps: 10 };
        const status = await generateImage(target, { address, parameters, agent, patience }, signal);
        // A slow server refuses sizes whose calls would take too long (maxCallSeconds).
        if (status === 403) side = Math.min(side, tried - 128);
      });
      agent.destroy();
    },
  };
}

/** Each client repeatedly requests small pictures with the same key. */
const withKey: Attack = {
  name: 'one-shots-key',
  async attack(target, signal) {
    const agent = new Agent({ keepAlive: true });
    const plan = { address: target.address(), parameters: { width: 64, height: 64 }, agent };
    await persistAll(target, signal, () => generateImage(target, plan, signal));
    agent.destroy();
  },
};

export const goneAway = heavyAttack('large-one-shots-gone', 1024, 200);
/** For models that are very slow with large pictures. */
export const smallGoneAway = heavyAttack('small-one-shots-gone', 128, 50);
const waiting = heavyAttack('large-one-shots', 1024, Infinity);
const keyFps = 2;

export const txt2imgCases: readonly AttackCase[] = [
  { attack: waiting, what: 'whose clients wait' },
  { attack: goneAway, what: 'whose clients disconnect after 200 ms' },
]
  .map<AttackCase>(({ attack, what }) => ({
    name: attack.name,
    what: `8 requests of 1024x1024, or the largest allowed size, in 10 steps ${what}`,
    parts: [{ attack, clients: 8 }],
    streams: 1,
  }))
  .concat(
    {
      name: `${withKey.name}-fps`,
      what: `4 loops of POST /v1/generate with one key of ${keyFps} frames a second`,
      parts: [{ attack: withKey, clients: 4 }],
      streams: 1,
      keyLimits: { fps: keyFps },
      check: ({ pictures = 0 }, seconds) => {
        // The size of bursts is not specified; two seconds' worth is acceptable.
        const most = keyFps * (seconds + 2);
        if (pictures === 0) return ['the key got no picture'];
        return pictures > most
          ? [`${pictures} pictures in ${seconds} s with a key of ${keyFps} a second`]
          : [];
      },
    },
    {
      name: `${withKey.name}-sessions`,
      what: '4 loops of POST /v1/generate with one key of 1 session',
      parts: [{ attack: withKey, clients: 4 }],
      streams: 1,
      keyLimits: { sessions: 1 },
      check: ({ pictures = 0, ...others }) => {
        if (pictures === 0) return ['the key got no picture'];
        const refused = Object.keys(others).some(
          (what) => what.startsWith('status 4') || what.startsWith('status 5'),
        );
        return refused ? [] : ['4 requests at the same time with a key of 1 session'];
      },
    },
  );
