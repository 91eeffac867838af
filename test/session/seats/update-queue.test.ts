import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deferred } from '../../../src/engine/deferred.js';
import { Rig } from '../rig.js';

describe('updates over a connection that goes on with a session', () => {
  it('come after one that was under way when the former connection was lost', async () => {
    const former = await Rig.active();
    await former.until(() => former.all('checkpoint').length === 1);
    const resume = former.all('checkpoint')[0]?.token ?? '';
    const { context, stream } = former;
    const configure = stream.configure.bind(stream);
    const gate = deferred<void>();
    let begun = 0;
    stream.configure = async (parameters) => {
      if (begun++ === 0) await gate.promise;
      return configure(parameters);
    };
    former.send({ type: 'update', request: 1, parameters: { steps: 2 } });
    await former.until(() => begun === 1);
    former.session.disconnected(1006);

    const rig = new Rig({}, context);
    rig.send({ type: 'hello', resume });
    await rig.until(() => rig.session.state === 'active');
    rig.send({ type: 'update', request: 2, parameters: { strength: 0.5 } });
    await rig.settled();
    gate.resolve();
    await rig.until(() => rig.all('updated').length === 1);
    for (const { steps, strength } of [stream.parameters, rig.all('updated')[0]?.parameters ?? {}]) {
      assert.deepEqual([steps, strength], [2, 0.5]);
    }
    rig.session.disconnected(1000);
  });
});
