import type { ParameterUpdate } from '@millrace/protocol';
import type { Attack } from '../attack.js';
import { sendFrames } from './frame-client.js';
import { persistAll } from './persist.js';

export interface FrameAttackOptions {
  readonly name: string;
  /** Pictures to send in turn; each client begins with a different one. */
  readonly pictures: NonNullable<Attack['payloads']>;
  /** Parameters of the stream of each client; the smallest size by default. */
  readonly parameters?: (client: number) => ParameterUpdate;
}

/** Each client opens a stream and sends frames as fast as its credits allow. */
export function frameAttack({
  name,
  pictures,
  parameters = () => ({ width: 64, height: 64 }),
}: FrameAttackOptions): Attack {
  return {
    name,
    payloads: pictures,
    async attack(target, signal) {
      const { payloads } = target;
      await persistAll(target, signal, async (client) => {
        const first = client % payloads.length;
        const plan = {
          address: target.address(),
          parameters: parameters(client),
          pictures: [...payloads.slice(first), ...payloads.slice(0, first)],
        };
        await sendFrames(target, plan, signal);
      });
    },
  };
}
