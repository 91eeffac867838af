import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Access } from '../../src/session/access/access.js';
import { Rig } from './rig.js';

describe('a renewed token', () => {
  it('brings its own limit of frames per second', async (t) => {
    // Each token is the number of frames per second that it allows.
    const access: Access = {
      required: true,
      verify: (token = '') =>
        Promise.resolve({
          subject: 'ann',
          expires: null,
          limits: token === '' ? {} : { fps: Number(token) },
        }),
    };
    const rig = await Rig.active({}, { access });
    const session = rig.context.sessions.find(rig.connection.id);
    assert.ok(session);
    const limit = t.mock.method(session.frames, 'limit');
    for (const token of ['5', '']) {
      const before = rig.all('authenticated').length;
      rig.send({ type: 'authenticate', token });
      await rig.until(() => rig.all('authenticated').length > before);
    }
    assert.deepEqual(
      limit.mock.calls.map(({ arguments: [fps] }) => fps),
      [5, null],
    );
    rig.connection.disconnected(1000);
  });
});
