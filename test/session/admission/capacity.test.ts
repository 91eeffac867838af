import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { defaultParameters, type StreamParameters } from '@millrace/protocol';
import type { EngineFacts } from '../../../src/engine/messages.js';
import { Capacity } from '../../../src/session/admission/capacity.js';

/** Calls of 4 rows are the most efficient: 10 ms a row. A picture takes 15 ms on top. */
const measured: EngineFacts = {
  device: 'cpu',
  calibration: { at: new Date(0), isKept: false },
  costs: [
    { rows: 1, ms: 20 },
    { rows: 2, ms: 30 },
    { rows: 4, ms: 40 },
    { rows: 8, ms: 100 },
  ],
  rowBudget: 4,
  pictureMs: 15,
};

interface Given {
  readonly capacity: Capacity;
  readonly parameters: StreamParameters;
}

function capacityOf(
  fps: number,
  changes: Partial<StreamParameters> = {},
  present: readonly Partial<StreamParameters>[] = [],
  { latencySeconds = 0 } = {},
): Given {
  const parameters = { ...defaultParameters(), ...changes };
  const presentParameters = (): StreamParameters[] => present.map((own) => ({ ...parameters, ...own }));
  const slo = { fps, latencySeconds };
  const capacity = new Capacity({ slo, most: 32, maxCallMs: 0, parameters, present: presentParameters });
  capacity.calibrated(measured);
  return { parameters, capacity };
}

const slots = (...args: Parameters<typeof capacityOf>): number => capacityOf(...args).capacity.slots;
const oneStep = { t_index_list: [32] };
const { width, height } = defaultParameters();
const large = { width: 2 * width, height: 2 * height };
const fullGuidance = { cfg_type: 'full', guidance_scale: 2 } as const;

/** Simulates seconds of calls that take `times` as long as expected. @returns how often the capacity changed. */
function work(capacity: Capacity, seconds: number, times: number): number {
  let changes = 0;
  for (let call = 0; call < seconds * 20; call++) {
    if (capacity.observe({ rows: 4, streams: 2, ms: 40 * times, pictureMs: 10 * times, expectedMs: 50 }))
      changes += 1;
  }
  return changes;
}

describe('the basis of the slots', () => {
  it('is the SLO, or the limit of sessions if that is lower', () => {
    assert.equal(capacityOf(10).capacity.basis, '--slo-fps 10');
    assert.equal(
      capacityOf(10, {}, [], { latencySeconds: 0.5 }).capacity.basis,
      '--slo-fps 10 and --slo-latency-seconds 0.5',
    );
    for (const fps of [0, 0.1]) assert.equal(capacityOf(fps).capacity.basis, '--max-sessions 32');
  });
});

describe('capacity by calibration', () => {
  it('is the number of sessions that time allows: U-Net rows, encoding and decoding', () => {
    // One step: 25 ms a frame. Four fifths of 125 ms are enough for four, of 100 ms for three.
    assert.equal(slots(8, oneStep), 4);
    assert.equal(slots(10, oneStep), 3);
    // Four steps and a negative row for each: 95 ms.
    assert.equal(slots(4, { t_index_list: [1, 2, 3, 4], ...fullGuidance }), 2);
    // Without guidance there is no negative row, and with one-time guidance there is one: 55 and 65 ms.
    assert.equal(slots(4.8, { t_index_list: [1, 2, 3, 4], ...fullGuidance, guidance_scale: 1 }), 3);
    assert.equal(slots(4.8, { t_index_list: [1, 2, 3, 4], cfg_type: 'initialize', guidance_scale: 2 }), 2);
  });

  it('keeps the promised latency when all send at the same moment', () => {
    // One frame a second: the rate alone allows 32.
    assert.equal(slots(1, oneStep, [], { latencySeconds: 2 }), 32);
    // Twelve frames are three calls of 100 ms with their pictures; a fourth may have been under way.
    assert.equal(slots(1, oneStep, [], { latencySeconds: 0.5 }), 12);
    assert.equal(slots(1, oneStep, [{}, { t_index_list: [1, 2, 3, 4] }], { latencySeconds: 0.5 }), 11);
    // The next frame comes sooner than that, so the rate is the limit.
    assert.equal(slots(8, oneStep, [], { latencySeconds: 0.5 }), 4);
  });

  it('accounts for calls that are not full', () => {
    // Of seven rows four take a call of 40 ms, and the other three one of 35 ms: 180 ms with the pictures.
    assert.equal(slots(4.44, oneStep), 7);
    assert.equal(slots(4.45, oneStep), 6);
  });

  it('accounts for sessions that send more than the SLO and fill the calls', () => {
    // Of five, the last may wait for two calls of four, with their pictures: 200 ms.
    assert.equal(slots(5.01, oneStep), 4);
    assert.ok(slots(5, oneStep) >= 5);
    // And it is done after a third call: 300 ms.
    assert.equal(slots(3, oneStep, [], { latencySeconds: 0.2999 }), 4);
    assert.ok(slots(3, oneStep, [], { latencySeconds: 0.3 }) >= 5);
  });

  it('is at least one, at most the limit, and equal to the limit without an SLO', () => {
    assert.equal(slots(240, oneStep), 1);
    assert.equal(slots(0.5, oneStep), 32);
    assert.equal(slots(0, oneStep), 32);
    assert.equal(slots(0, oneStep, [], { latencySeconds: 0.001 }), 32, 'a latency alone is not an SLO');
  });

  it('counts what each present session asks for', () => {
    assert.equal(slots(8, oneStep, [{}, {}]), 4);
    // 4 rows: 55 ms instead of 25, which leaves 48.
    assert.equal(slots(7.8, oneStep, [{ t_index_list: [1, 2, 3, 4] }]), 2);
    // Four times the area, four times the time: all of it.
    assert.equal(slots(8, oneStep, [large]), 1);
    // Nobody is sent away.
    assert.equal(slots(8, oneStep, [large, large]), 2);
  });

  it('is unknown before the engine is measured: all slots, and a rate of zero', () => {
    const { parameters } = capacityOf(8);
    const slo = { fps: 8, latencySeconds: 0 };
    const capacity = new Capacity({ slo, most: 32, maxCallMs: 1, parameters, present: () => [] });
    assert.equal(capacity.slots, 32);
    assert.equal(capacity.rowsPerSecond, 0);
    assert.deepEqual(capacity.share([parameters, parameters]), [null, null]);
    capacity.checkCall({ ...parameters, ...large });
  });

  it('follows a new calibration', () => {
    const { capacity } = capacityOf(4, oneStep);
    assert.equal(capacity.slots, 8);
    const costs = measured.costs.map(({ rows, ms }) => ({ rows, ms: 2 * ms }));
    capacity.calibrated({ ...measured, costs, pictureMs: 2 * measured.pictureMs });
    // Half the rate on half the machine.
    assert.equal(capacity.slots, slots(8, oneStep));
    assert.equal(capacity.rowsPerSecond, 50);
  });
});

describe('the SLO', () => {
  it('holds at the limit: if all send a frame at the same moment, the last one is done in time', () => {
    const stepsOf = (count: number): Partial<StreamParameters> => ({
      t_index_list: Array.from({ length: count }, (_, i) => i),
    });
    const msOf = (steps: number): number => 15 + 10 * steps;
    fc.assert(
      fc.property(
        fc.double({ min: 0.2, max: 30, noNaN: true }),
        fc.double({ min: 0.05, max: 5, noNaN: true }),
        fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 30 }),
        (fps, latencySeconds, there, steps) => {
          const most = slots(fps, stepsOf(steps), there.map(stepsOf), { latencySeconds });
          const more = most - there.length;
          // Present sessions are not sent away, and one is always admitted.
          if (more === 0 || most === 1) return;
          const work = there.reduce((sum, count) => sum + msOf(count), more * msOf(steps));
          assert.ok(work <= 1000 * Math.min(1 / fps, latencySeconds), `${work} ms`);
        },
      ),
    );
  });
});

describe('capacity under load', () => {
  it('stays as calibrated while calls take about as long as expected', () => {
    const { capacity } = capacityOf(10, oneStep);
    assert.equal(work(capacity, 120, 1.09), 0);
    assert.equal(capacity.rowsPerSecond, 100);
  });

  it('falls while the engine is slower than calibrated, and rises again', () => {
    const { capacity } = capacityOf(4.4, oneStep);
    assert.equal(capacity.slots, 7);
    work(capacity, 120, 2);
    assert.ok(capacity.rowsPerSecond < 57 && capacity.rowsPerSecond >= 50, `${capacity.rowsPerSecond}`);
    assert.equal(capacity.slots, 3);
    work(capacity, 120, 1);
    assert.ok(capacity.rowsPerSecond > 90, `${capacity.rowsPerSecond}`);
    assert.equal(capacity.slots, 6);
  });

  it('ignores a single slow call, and does not oscillate if calls vary', () => {
    const { capacity } = capacityOf(10, oneStep);
    capacity.observe({ rows: 4, streams: 2, ms: 60_000, pictureMs: 10, expectedMs: 50 });
    assert.equal(capacity.rowsPerSecond, 100);
    let changes = 0;
    for (let turn = 0; turn < 60; turn++) changes += work(capacity, 2, turn % 2 === 0 ? 1.5 : 1.1);
    // Down to about 1 / 1.3 in a few steps, and there it stays.
    assert.ok(changes <= 3, `${changes}`);
  });

  it('limits implausible measurements', () => {
    const { capacity } = capacityOf(10, oneStep);
    work(capacity, 300, 100);
    assert.ok(capacity.rowsPerSecond >= 25 && capacity.rowsPerSecond < 28, `${capacity.rowsPerSecond}`);
    work(capacity, 900, 0.01);
    assert.ok(capacity.rowsPerSecond > 350 && capacity.rowsPerSecond <= 400, `${capacity.rowsPerSecond}`);
  });

  it('rises if calibration was disturbed and found too little', () => {
    const { capacity } = capacityOf(5, oneStep);
    work(capacity, 300, 0.5);
    assert.ok(capacity.rowsPerSecond > 180 && capacity.rowsPerSecond <= 200, `${capacity.rowsPerSecond}`);
    assert.ok(capacity.slots >= 11, `${capacity.slots}`);
  });
});

describe('the shares of an engine', () => {
  it('are unlimited while the SLO of all can be met, however much they send', () => {
    const { capacity, parameters } = capacityOf(8, oneStep);
    const five = Array.from({ length: 5 }, () => parameters);
    // Five frames of 25 ms in each eighth of a second: all of the time, and more sessions than slots.
    assert.equal(capacity.slots, 4);
    assert.deepEqual(capacity.share(five), [null, null, null, null, null]);
    assert.deepEqual(capacity.share([]), []);
  });

  it('are equal if the engine has become slower since the sessions were admitted', () => {
    const { capacity, parameters } = capacityOf(8, oneStep);
    work(capacity, 300, 2);
    const shares = capacity.share(Array.from({ length: 4 }, () => parameters));
    assert.equal(new Set(shares).size, 1);
    // 4 frames of 50 ms: five times in a second.
    const [share] = shares;
    assert.ok(share != null && share >= 5 && share < 5.7, `${share}`);
  });

  it('are equal times: only sessions with costly frames get fewer', () => {
    const { capacity, parameters } = capacityOf(5, oneStep);
    const small = { ...parameters };
    // Two small streams need 125 ms of each second, which leaves 375 ms for each of the large.
    const twice = { ...parameters, ...large };
    assert.deepEqual(capacity.share([small, twice, small, twice]), [null, 3.75, null, 3.75]);
  });

  it('count all images as one more stream, by their cost', () => {
    const { capacity, parameters } = capacityOf(20, oneStep);
    const none = { decodeMs: [], decoders: 1, images: [], imagesMs: 2000 };
    assert.deepEqual(capacity.share([parameters], none), [null]);
    // Forty images of 25 ms in two seconds take half of the time; the stream needs the other half.
    const images = Array.from({ length: 40 }, () => parameters);
    assert.deepEqual(capacity.share([parameters], { ...none, images }), [null]);
    // They get no more than that, however many there are.
    const costlyImage = { ...parameters, ...large };
    const costly = images.map(() => costlyImage);
    const { capacity: busy } = capacityOf(30, oneStep);
    assert.deepEqual(busy.share([parameters], { ...none, images: costly }), [20]);
    assert.deepEqual(
      busy.share([parameters, parameters, parameters], { ...none, images: costly }),
      [10, 10, 10],
    );
  });

  it('count the decoding of pictures, on the same processor or another', () => {
    const { capacity, parameters } = capacityOf(10, oneStep);
    const [small, costly] = [parameters, parameters];
    // 25 ms in the engine; 225 ms more to decode the costly ones, which gets three quarters of the time.
    const work = { decodeMs: [0, 225], decoders: 1, images: [], imagesMs: 1000 };
    assert.deepEqual(capacity.share([small, costly], work), [null, 3]);
    capacity.calibrated({ ...measured, device: 'cuda:0' });
    // There decoding has its own time: a second of each second.
    assert.deepEqual(capacity.share([small, costly], work), [null, 1000 / 225]);
    assert.deepEqual(capacity.share([small, costly], { ...work, decoders: 2 }), [null, 1000 / 112.5]);
    assert.deepEqual(capacity.share([small, costly], { ...work, decodeMs: [1, 1] }), [null, null]);
  });

  it('do not limit a single stream, or any stream without an SLO', () => {
    const { parameters } = capacityOf(10);
    const heavy = { ...parameters, t_index_list: Array.from({ length: 20 }, (_, i) => i) };
    assert.deepEqual(capacityOf(10).capacity.share([heavy]), [null]);
    assert.deepEqual(capacityOf(0).capacity.share([heavy, heavy]), [null, null]);
  });
});

describe('the shares of streams', () => {
  it('are unlimited without an SLO, however many streams there are', () => {
    const { capacity, parameters } = capacityOf(0);
    assert.deepEqual(capacity.share([parameters, parameters, parameters]), [null, null, null]);
  });

  it('apply from the second stream on', () => {
    const { capacity, parameters } = capacityOf(1000, oneStep);
    assert.deepEqual(capacity.share([parameters]), [null]);
    // 25 ms a frame: forty in a second.
    for (const share of capacity.share([parameters, parameters])) {
      assert.ok(share !== null && Math.abs(share - 20) < 1e-9, String(share));
    }
  });
});
