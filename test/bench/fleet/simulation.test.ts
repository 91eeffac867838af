import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { arrivalShapes } from './arrivals.js';
import { nodeModel } from './node-model.js';
import { doctorCosts, plannerOptions } from './options.js';
import { Placement, placementRules } from './placement.js';
import { Random } from '../../support/random.js';
import { Replicas } from './replicas.js';
import { usualScenario, type Scenario } from './scenario.js';
import { simulate } from './simulation.js';

const small: Scenario = { ...usualScenario, sessions: 3000, hours: 10 };
const faults: Partial<Scenario> = { zoneFailsAtHour: 5, spotShare: 0.5, spotHours: 1 };
/** Nodes that are always there, and users who wait as long as it takes. */
const line: Partial<Scenario> = { patienceSeconds: Infinity, scaling: { kind: 'fixed', nodes: 2 }, slots: 4 };

/** Returns the mean wait in an M/M/c line in seconds (Erlang's C formula). */
function erlangWait(perSecond: number, stay: number, servers: number): number {
  const load = perSecond * stay;
  let blocked = 1;
  for (let n = 1; n <= servers; n++) blocked = (load * blocked) / (n + load * blocked);
  const waits = (servers * blocked) / (servers - load * (1 - blocked));
  return (waits * stay) / (servers - load);
}

describe('the simulation of a fleet', () => {
  it('ends every session once, whatever fails', () => {
    for (const [name, shape] of Object.entries(arrivalShapes)) {
      for (const placement of placementRules) {
        const { started, ended, gaveUp } = simulate({ ...small, ...faults, shape, placement });
        assert.equal(started, ended, `${name}, ${placement}`);
        assert.equal(started + gaveUp, small.sessions, `${name}, ${placement}`);
      }
    }
  });

  it('gives the same for the same seed, and something else for another', () => {
    const run = (seed: number): unknown => simulate({ ...small, ...faults, seed });
    assert.deepEqual(run(1), run(1));
    assert.notDeepEqual(run(1), run(2));
  });

  it('makes users wait as long as the formula of M/M/c says', () => {
    const [sessions, hours, stayMinutes] = [200_000, 5000, 9];
    const { meanWait } = simulate({ ...small, ...line, sessions, hours, stayMinutes });
    const expected = erlangWait(sessions / (hours * 3600), stayMinutes * 60, 8);
    assert.ok(Math.abs(meanWait / expected - 1) < 0.1, `${meanWait} s, by the formula ${expected} s`);
  });

  it('holds Little’s law for those who wait and those who are served', () => {
    const { started, seconds, meanWaiting, meanWait, meanServed } = simulate({
      ...small,
      ...line,
      hours: 60,
    });
    const rate = started / seconds;
    assert.ok(Math.abs(meanWaiting / (rate * meanWait) - 1) < 1e-9);
    assert.ok(Math.abs(meanServed / (rate * small.stayMinutes * 60) - 1) < 0.05);
  });

  it('cuts the sessions of a zone that fails, and only then', () => {
    assert.equal(simulate({ ...small, spotShare: 0 }).longestCut, 0);
    const fixed: Partial<Scenario> = { scaling: { kind: 'fixed', nodes: 9 }, slots: 6, startMinutes: 4 };
    const { moves, longestCut } = simulate({ ...small, ...fixed, zoneFailsAtHour: 5 });
    assert.ok(moves >= 10, `${moves} moved`);
    assert.ok(longestCut >= 0 && longestCut <= 240, `${longestCut} s`);
  });

  it('moves the sessions of a spot node within its two minutes if another has room', () => {
    const roomy: Partial<Scenario> = { scaling: { kind: 'fixed', nodes: 20 }, startMinutes: 0 };
    const { moves, longestCut } = simulate({ ...small, ...roomy, spotShare: 1, spotHours: 1 });
    assert.ok(moves > 0);
    assert.equal(longestCut, 0);
  });

  it('lets users of a crowd wait as long as a node takes to come', () => {
    const crowd: Partial<Scenario> = { shape: arrivalShapes.crowd, patienceSeconds: Infinity };
    const wait = (startMinutes: number): number => simulate({ ...small, ...crowd, startMinutes }).waitP95;
    assert.ok(wait(6) > wait(1) + 60, `${wait(6)} s, ${wait(1)} s`);
  });
});

describe('the rules of the simulation', () => {
  it('place by weight, in turn, in order, and never at a full node or one whose agent says so', () => {
    const nodes = [
      { count: 8, weight: 50 },
      { count: 2, weight: 75 },
      { count: 1, weight: 88 },
      { count: 0, weight: 0 },
    ];
    const choice = (rule: (typeof placementRules)[number]): number =>
      new Placement(rule, new Random(1)).choose(nodes, 8);
    assert.equal(choice('leastconn'), 2);
    assert.equal(choice('first-fit'), 1);
    assert.equal(choice('round-robin'), 1);
    assert.ok([1, 2].includes(choice('random')));
    for (const rule of placementRules) assert.equal(new Placement(rule, new Random(1)).choose([], 8), -1);
  });

  it('want as many nodes as KEDA: (sessions + waiting) / slots and the buffer, unless it is near', () => {
    const keda = {
      kind: 'keda',
      buffer: 1,
      least: 2,
      most: 64,
      countsRefused: true,
      tolerance: 0.1,
    } as const;
    const seen = { sessions: 16, refused: 8, slots: 8 };
    const wanted = (changes: object, sessions = 16): number => {
      const replicas = new Replicas({ ...keda, ...changes });
      replicas.decide(0, { ...seen, sessions });
      return replicas.wanted;
    };
    assert.equal(wanted({}), 4);
    assert.equal(wanted({ countsRefused: false }), 3);
    assert.equal(wanted({ buffer: 2 }), 5);
    assert.equal(wanted({}, 1000), 6, 'four more at once');
    assert.equal(wanted({ least: 20, tolerance: 0.1 }, 152), 20, '21 are within a tenth of 20');
    assert.equal(wanted({ least: 20, tolerance: 0 }, 152), 21);
  });

  it('stop one node in two minutes, ten minutes after the last need of it', () => {
    const replicas = new Replicas({ ...usualScenario.scaling, least: 2 } as Scenario['scaling']);
    const at = (now: number, sessions: number): boolean =>
      replicas.decide(now, { sessions, refused: 0, slots: 8 });
    assert.ok(at(0, 40));
    assert.equal(at(590, 0), false);
    assert.equal(at(610, 0), true);
    assert.equal(at(620, 0), false);
    assert.equal(at(730, 0), true);
    assert.equal(replicas.wanted, 4);
  });
});

describe('the model of a node', () => {
  const costs = [
    { rows: 1, ms: 20 },
    { rows: 2, ms: 30 },
    { rows: 4, ms: 40 },
  ];
  const model = nodeModel({ costs, pictureMs: 10, fps: 5, latencySeconds: 0, most: 100 });

  it('has the slots of a server with these costs', () => {
    const slots = (changes: object): number =>
      nodeModel({ costs, pictureMs: 10, fps: 5, latencySeconds: 0, most: 100, ...changes }).slots;
    assert.equal(slots({ most: 2 }), 2);
    assert.ok(slots({ fps: 1 }) > model.slots);
    assert.ok(slots({ fps: 1, latencySeconds: 0.2 }) < slots({ fps: 1 }));
  });

  it('gives users what their cameras send, or equal shares of the time', () => {
    assert.equal(model.framesEach(1, 2), 2);
    const each = model.framesEach(4, 1000);
    assert.ok(each < model.framesEach(1, 1000));
    assert.ok(4 * each > model.framesEach(1, 1000), 'batches pay');
  });

  it('makes all calls as large as they may be once there are enough users', () => {
    // Calls of 4 rows, with 4 pictures: 80 ms.
    assert.equal(model.framesEach(4, 1000), 1000 / 80);
    assert.equal(6 * model.framesEach(6, 1000), 4 * model.framesEach(4, 1000));
  });

  it('lets pictures share calls if that pays', () => {
    const pictureCosts = [
      { rows: 1, ms: 10 },
      { rows: 2, ms: 15 },
    ];
    const slo = { fps: 1, latencySeconds: 0, most: 100 };
    const sharing = nodeModel({ costs, pictureMs: 10, pictureCosts, ...slo });
    assert.equal(sharing.framesEach(1, 1000), model.framesEach(1, 1000));
    assert.equal(sharing.framesEach(4, 1000), 1000 / 70);
    assert.ok(sharing.slots > nodeModel({ costs, pictureMs: 10, ...slo }).slots);
  });
});

describe('the options of the planner', () => {
  it('refuse what does not fit, by name', () => {
    assert.throws(() => plannerOptions(['--slots', '0']), /--slots 0: choose a number from 1/);
    assert.throws(() => plannerOptions(['--price', '']), /--price/);
    assert.throws(() => plannerOptions(['--unknown', '1']), /unknown/);
    assert.throws(() => plannerOptions(['--arrivals', '/none']), /none/);
  });

  it('take the costs of a report of doctor, and no other', () => {
    const read = (performance: object | null): unknown => doctorCosts(JSON.stringify({ performance }));
    const report = { unet: [{ rows: 1, ms: 20 }], picture_ms: 10 };
    const costs = { costs: report.unet, pictureMs: 10 };
    assert.deepEqual(read(report), costs);
    assert.deepEqual(read({ ...report, pictures: [] }), costs);
    assert.deepEqual(read({ ...report, pictures: [{ pictures: 2, ms: 15 }] }), {
      ...costs,
      pictureCosts: [{ rows: 2, ms: 15 }],
    });
    for (const performance of [
      null,
      { ...report, unet: [] },
      { ...report, unet: [{ rows: 1, ms: 0 }] },
      { ...report, pictures: [{ pictures: 2 }] },
    ]) {
      assert.equal(read(performance), null);
    }
    for (const text of ['', '{', 'null', '[]', '7']) assert.equal(doctorCosts(text), null, text);
  });

  it('end the planner with one line if they do not fit', () => {
    const planner = fileURLToPath(new URL('../fleet.bench.js', import.meta.url));
    for (const [option, value, complaint] of [
      ['--sessions', '0', /^fleet: --sessions 0: choose a number from 1 to 10000000\n$/],
      ['--sessions', '-1', /^fleet: [^\n]*--sessions[^\n]*\n$/],
      ['--arrivals', '/dev/null', /^fleet: --arrivals \/dev\/null: no session comes\n$/],
      [
        '--costs',
        '/dev/null',
        /^fleet: --costs \/dev\/null: it needs the output of `millrace doctor --json`[^\n]*\n$/,
      ],
    ] as const) {
      const { status, stderr } = spawnSync(process.execPath, [planner, option, value], { encoding: 'utf8' });
      assert.equal(status, 2);
      assert.match(stderr, complaint);
    }
  });

  it('take nodes and prices', () => {
    const { scenario, prices } = plannerOptions(['--nodes', '7', '--price', '3']);
    assert.deepEqual(scenario.scaling, { kind: 'fixed', nodes: 7 });
    assert.equal(prices.usual, 3);
  });
});
