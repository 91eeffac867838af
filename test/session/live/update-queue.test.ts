import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Rig } from '../rig.js';

it('no more updates wait for a slow engine than are allowed in a second', async () => {
  const most = 200;
  const rig = await Rig.active({ updatesPerSecond: most });
  let carryOut: () => void = () => {};
  const slow = new Promise<void>((resolve) => (carryOut = resolve));
  rig.stream.configure = async () => {
    await slow;
    return { from: 0 };
  };
  const send = (request: number): void =>
    rig.send({ type: 'update', request, parameters: { seed: request } });
  for (let request = 0; request < most; request++) send(request);
  // Time enough that the rate allows some more.
  await sleep(50);
  send(most);
  const [refused] = rig.all('error');
  assert.deepEqual([refused?.code, refused?.request], ['rate_limited', most]);
  assert.match(refused?.message ?? '', /are waiting to be applied/);
  carryOut();
  await rig.until(() => rig.all('updated').length === most);
  send(most + 1);
  await rig.until(() => rig.all('updated').length === most + 1);
  rig.connection.disconnected(1000);
});
