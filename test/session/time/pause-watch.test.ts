import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { PauseWatch } from '../../../src/session/time/pause-watch.js';

/** A process whose clock and CPU time are set by the test, in milliseconds. */
function setUp(t: TestContext): {
  readonly watch: PauseWatch;
  readonly pass: (ms: number, cpu?: { readonly user?: number; readonly system?: number }) => void;
} {
  let now = 1000;
  const used = { user: 0, system: 0 };
  t.mock.method(performance, 'now', () => now);
  t.mock.method(process, 'cpuUsage', () => ({ user: used.user * 1000, system: used.system * 1000 }));
  const watch = new PauseWatch();
  t.after(() => watch[Symbol.dispose]());
  return {
    watch,
    pass(ms, { user = 0, system = 0 } = {}) {
      now += ms;
      used.user += user;
      used.system += system;
    },
  };
}

it('a process that used no CPU time for long was paused until now', (t) => {
  const { watch, pass } = setUp(t);
  assert.equal(watch.last.ms, 0);
  pass(5000);
  assert.deepEqual(watch.last, { end: 6000, ms: 5000 });
  pass(10);
  assert.deepEqual(watch.last, { end: 6000, ms: 5000 });
});

it('a process that was busy was not paused, be it in its own code or in that of the system', (t) => {
  for (const cpu of [{ user: 5000 }, { system: 5000 }, { user: 2500, system: 2500 }]) {
    const { watch, pass } = setUp(t);
    pass(5000, cpu);
    assert.equal(watch.last.ms, 0);
    t.mock.restoreAll();
  }
});

it('many readings in a row read the CPU time once in 10 ms, and miss no pause', (t) => {
  const { watch, pass } = setUp(t);
  const cpuUsage = t.mock.method(process, 'cpuUsage', () => ({ user: 0, system: 0 }));
  for (let i = 0; i < 200; i++) {
    pass(0.5, { user: 0.5 });
    assert.equal(watch.last.ms, 0);
  }
  assert.equal(cpuUsage.mock.callCount(), 10);
  pass(300);
  assert.equal(watch.last.ms > 290, true);
});
