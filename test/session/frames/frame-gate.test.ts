import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { stopTime } from '../../support/stopped-time.js';
import { GateRig } from './gate-rig.js';

const setUp = (t: TestContext): GateRig => new GateRig(stopTime(t));

/** What can stand in the way, how it comes and goes, and whether results wait for it too. */
const obstacles = {
  pause: {
    set: (rig: GateRig) => rig.pauseStream(),
    remove: (rig: GateRig) => rig.continueStream(),
    holdsResults: false,
  },
  window: {
    set: (rig: GateRig) => rig.fill(),
    remove: (rig: GateRig) => rig.acknowledge(),
    holdsResults: true,
  },
  // Longer than it takes to remove the others.
  stall: { set: (rig: GateRig) => rig.stall(), remove: (rig: GateRig) => rig.pass(200), holdsResults: true },
  pace: {
    set(rig: GateRig) {
      rig.gate.limit(1);
      rig.begin();
    },
    remove(rig: GateRig) {
      rig.gate.limit(null);
      rig.pass(1);
    },
    holdsResults: false,
  },
} as const;
type Obstacle = keyof typeof obstacles;
const names = Object.keys(obstacles) as Obstacle[];

/** Returns all subsets of a list, each in all orders. */
function arrangements<T>(list: readonly T[]): readonly (readonly T[])[] {
  return [
    [],
    ...list.flatMap((first) =>
      arrangements(list.filter((other) => other !== first)).map((rest) => [first].concat(rest)),
    ),
  ];
}

describe('a gate', () => {
  it('is open to frames without an obstacle, and to results without a stall or a full window', (t) => {
    const pass = stopTime(t);
    const all = arrangements(names);
    assert.equal(all.length, 65);
    for (const present of all) {
      const rig = new GateRig(pass);
      assert.deepEqual(rig.open, [true, true]);
      for (const name of present) obstacles[name].set(rig);
      const leave = !present.some((name) => obstacles[name].holdsResults);
      assert.deepEqual(rig.open, [present.length === 0, leave], present.join());
      rig.gate.close();
    }
  });

  it('pokes frames when the last obstacle goes, and results when the last one of theirs goes', (t) => {
    const pass = stopTime(t);
    for (const present of arrangements(names)) {
      const rig = new GateRig(pass);
      for (const name of names) if (present.includes(name)) obstacles[name].set(rig);
      for (const [i, name] of present.entries()) {
        const closed = !rig.gate.maySend;
        rig.forget();
        obstacles[name].remove(rig);
        const rest = present.slice(i + 1);
        assert.equal(rig.entered, rest.length === 0, `${name} of ${present.join()}`);
        const leave = !rest.some((other) => obstacles[other].holdsResults);
        if (closed) assert.equal(rig.left, leave, `${name} of ${present.join()}`);
      }
      rig.gate.close();
    }
  });

  it('is closed without a connection, and pokes both sides when one begins', (t) => {
    const rig = setUp(t);
    rig.fill();
    rig.stall();
    rig.gate.disconnect();
    assert.deepEqual([rig.open, rig.gate.window], [[false, false], null]);
    assert.equal(rig.gate.acknowledge(0), false);
    rig.pass(1000);
    const { frames, results } = rig.counts;
    rig.gate.connect();
    assert.deepEqual([rig.open, rig.entered, rig.left], [[true, true], true, true]);
    assert.deepEqual([rig.counts.frames, rig.counts.results], [frames + 1, results + 1]);
    assert.equal(rig.gate.acknowledge(1), false, 'each connection has its own window');
    assert.equal(rig.gate.acknowledge(0), true);
  });

  it('sets no timer for the pace while something else stands in the way', (t) => {
    const rig = setUp(t);
    rig.gate.limit(1);
    rig.pass(1);
    rig.pauseStream();
    rig.begin();
    const { frames } = rig.counts;
    rig.pass(5000);
    assert.equal(rig.counts.frames, frames);
  });

  it('neither opens nor pokes after close', (t) => {
    const rig = setUp(t);
    rig.gate.limit(1);
    rig.begin();
    rig.stall();
    rig.gate.close();
    rig.gate.close();
    const before = { ...rig.counts };
    rig.pass(5000);
    assert.deepEqual([rig.counts, rig.open], [before, [false, false]]);
  });
});

describe('the interval of results', () => {
  it('is averaged, and a stall counts as four intervals', (t) => {
    const rig = setUp(t);
    const send = (): void => {
      rig.send();
      rig.acknowledge();
    };
    send();
    assert.equal(rig.gate.intervalMs, 100);
    rig.pass(20);
    send();
    assert.equal(rig.gate.intervalMs, 90);
    rig.pass(2000);
    send();
    assert.equal(rig.gate.intervalMs, 90 + (360 - 90) / 8);
    const before = rig.gate.intervalMs;
    rig.gate.disconnect();
    rig.gate.connect();
    rig.pass(5000);
    send();
    assert.equal(rig.gate.intervalMs, before, 'the time without a connection does not count');
  });
});

describe('a client that acknowledges after the window was full', () => {
  it('for up to three intervals goes on at once, and for longer after one more interval', (t) => {
    const pass = stopTime(t);
    for (const [extraMs, waits] of [
      [0, false],
      [1, true],
    ] as const) {
      const rig = new GateRig(pass);
      rig.fill();
      const { intervalMs } = rig.gate;
      pass(Math.floor(3 * intervalMs) + extraMs);
      rig.acknowledge();
      assert.deepEqual(rig.open, [!waits, !waits]);
      pass(Math.ceil(intervalMs));
      assert.deepEqual([rig.open, rig.entered, rig.left, rig.counts.cleared], [[true, true], true, true, 0]);
      rig.gate.close();
    }
  });

  it('loses the waiting result if a newer frame waits, but not with txt2img', (t) => {
    const pass = stopTime(t);
    for (const mode of ['img2img', 'txt2img'] as const) {
      const rig = new GateRig(pass);
      rig.feed.parameters = { ...rig.feed.parameters, mode };
      rig.fill();
      pass(1000);
      rig.waitingSince = performance.now();
      rig.acknowledge();
      assert.deepEqual([rig.counts.cleared, rig.open], [mode === 'img2img' ? 1 : 0, [true, true]]);
      rig.fill();
      pass(1000);
      rig.waitingSince = null;
      rig.acknowledge();
      assert.equal(rig.gate.tryEnter(), mode === 'txt2img', 'no newer frame can come from the client');
      rig.gate.close();
    }
  });
});

describe('a stall', () => {
  it('ends when a frame comes that is not late, and the waiting result is dropped', (t) => {
    const rig = setUp(t);
    rig.stall();
    assert.deepEqual([rig.open, rig.counts.cleared], [[false, false], 0]);
    rig.arrive(0);
    assert.deepEqual([rig.open, rig.counts.cleared], [[true, true], 1]);
    rig.arrive(0);
    assert.equal(rig.counts.cleared, 1, 'nothing was held back');
  });

  it('of this process holds back older results until a newer one comes', (t) => {
    const rig = setUp(t);
    const arrivedAt = performance.now();
    rig.pass(2000);
    rig.pauses.last = { end: performance.now(), ms: 2000 };
    assert.equal(rig.gate.holdBack(arrivedAt), true);
    assert.deepEqual(rig.open, [false, false]);
    rig.gate.resultFinished(arrivedAt);
    assert.deepEqual(rig.open, [false, false]);
    rig.pass(1);
    rig.gate.resultFinished(performance.now());
    assert.deepEqual([rig.open, rig.gate.holdBack(performance.now())], [[true, true], false]);
  });

  it('of this process is not noticed again before a result was sent', (t) => {
    const rig = setUp(t);
    const stop = (): void => void (rig.pauses.last = { end: performance.now(), ms: 2000 });
    stop();
    assert.equal(rig.gate.holdBack(0), true);
    rig.pass(1000);
    stop();
    assert.equal(rig.gate.holdBack(0), false);
    rig.send();
    assert.equal(rig.gate.holdBack(0), true);
  });
});

describe('whatever happens', () => {
  const actions: Readonly<Record<string, (rig: GateRig) => void>> = {
    pause: (rig) => rig.pauseStream(),
    continue: (rig) => rig.continueStream(),
    send: (rig) => rig.send(),
    fill: (rig) => rig.fill(),
    acknowledge: (rig) => rig.gate.acknowledge(rig.sent),
    arrive: (rig) => rig.arrive(0),
    'arrive without a clock': (rig) => rig.arrive(null),
    stall: (rig) => rig.stall(),
    begin: (rig) => rig.begin(),
    'limit to 10': (rig) => rig.gate.limit(10),
    'limit to 3': (rig) => rig.gate.limit(3),
    'limit to none': (rig) => rig.gate.limit(null),
    disconnect: (rig) => rig.gate.disconnect(),
    connect: (rig) => rig.gate.connect(),
    'a moment': (rig) => rig.pass(10),
    'a while': (rig) => rig.pass(150),
    'a long time': (rig) => rig.pass(1200),
  };

  it('a gate that is open has poked both sides since it opened', (t) => {
    const pass = stopTime(t);
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...Object.keys(actions)), { maxLength: 40 }), (list) => {
        const rig = new GateRig(pass);
        for (const action of list) {
          actions[action](rig);
          // A new limit pokes a millisecond later.
          pass(1);
          const [enter, leave] = rig.open;
          assert.equal((rig.entered &&= enter), enter, `${action}: frames do not know`);
          assert.equal((rig.left &&= leave), leave, `${action}: results do not know`);
        }
        rig.gate.close();
      }),
    );
  });
});
