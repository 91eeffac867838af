import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Rig } from '../rig.js';

it('a checkpoint is sent at each interval in which frames came, and no other', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const rig = await Rig.active({ checkpointIntervalMs: 1000 });
  await rig.until(() => rig.all('checkpoint').length === 1);
  t.mock.timers.tick(1000);
  await rig.settled();
  assert.equal(rig.all('checkpoint').length, 1, 'nothing came');
  await rig.generate(0);
  await rig.until(() => rig.all('result').length === 1);
  t.mock.timers.tick(999);
  await rig.settled();
  assert.equal(rig.all('checkpoint').length, 1);
  t.mock.timers.tick(1);
  await rig.until(() => rig.all('checkpoint').length === 2);
  t.mock.timers.tick(1000);
  await rig.settled();
  assert.equal(rig.all('checkpoint').length, 2, 'nothing came since');
  rig.connection.disconnected(1006);
  t.mock.timers.tick(5000);
  await rig.settled();
  assert.equal(rig.all('checkpoint').length, 2, 'nobody is there');
});
