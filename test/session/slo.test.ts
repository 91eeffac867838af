import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultParameters } from '@millrace/protocol';
import fc from 'fast-check';
import { Batcher, type RowSource } from '../../src/diffusion/batcher.js';
import { Capacity } from '../../src/session/admission/capacity.js';
import type { Slo } from '../../src/session/admission/slo.js';

/** Costs of a call by its rows, and of a picture, in milliseconds. A further row may be cheaper than the first. */
interface Machine {
  readonly firstRow: number;
  readonly furtherRow: number;
  readonly picture: number;
}

function slotsOf({ firstRow, furtherRow, picture }: Machine, slo: Slo): { slots: number; rowBudget: number } {
  const costs = [1, 2, 4, 8].map((rows) => ({ rows, ms: firstRow + (rows - 1) * furtherRow }));
  const rowBudget = furtherRow < firstRow ? 8 : 1;
  const parameters = { ...defaultParameters(), t_index_list: [0] };
  const capacity = new Capacity({ slo, most: 1000, maxCallMs: 0, parameters, present: () => [] });
  capacity.calibrated({
    device: 'cpu',
    calibration: { at: new Date(0), isKept: false },
    costs,
    rowBudget,
    pictureMs: picture,
  });
  return { slots: capacity.slots, rowBudget };
}

/** A camera whose newest frame waits for the engine. */
class Camera implements RowSource {
  readonly key = 'all alike';
  readonly #interval: number;
  #next: number;
  #waiting: number | null = null;
  lost = 0;
  readonly latencies: number[] = [];

  constructor(fps: number, phase: number) {
    this.#interval = 1000 / fps;
    this.#next = phase * this.#interval;
  }

  get next(): number {
    return this.#next;
  }

  filmUntil(now: number): void {
    for (; this.#next <= now; this.#next += this.#interval) {
      if (this.#waiting !== null) this.lost += 1;
      this.#waiting = this.#next;
    }
  }

  lanes(): readonly [] {
    return [];
  }

  entries(): readonly number[] {
    return this.#waiting === null ? [] : [1];
  }

  /** Takes the waiting frame for the engine. @returns when it came. */
  take(): number {
    const came = this.#waiting ?? 0;
    this.#waiting = null;
    return came;
  }
}

/** Simulates five seconds of an engine. */
function run(
  { firstRow, furtherRow, picture }: Machine,
  rowBudget: number,
  cameras: readonly Camera[],
): void {
  const batcher = new Batcher<Camera>();
  for (let now = 0; now < 5000;) {
    for (const camera of cameras) camera.filmUntil(now);
    const shares = batcher.gather(cameras, rowBudget);
    if (shares.length === 0) {
      now = Math.min(...cameras.map(({ next }) => next));
      continue;
    }
    const taken = shares.map(({ source }) => ({ source, came: source.take() }));
    const call = firstRow + (taken.length - 1) * furtherRow;
    // All are encoded before the call; each is decoded after it in turn.
    now += (taken.length * picture) / 2 + call;
    for (const { source, came } of taken) {
      now += picture / 2;
      source.latencies.push(now - came);
    }
  }
}

const machines = fc.record({
  firstRow: fc.double({ min: 5, max: 80, noNaN: true }),
  furtherRow: fc.double({ min: 1, max: 80, noNaN: true }),
  picture: fc.double({ min: 2, max: 40, noNaN: true }),
});
const slos = fc.record({
  fps: fc.constantFrom(1, 2, 4, 10),
  latencySeconds: fc.constantFrom(0.2, 0.5, 1),
});
/** Phases of cameras within their interval, 0 to 1; more cameras than phases share some of them. */
const phases = fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 20 });
const phaseOf = (at: readonly number[], camera: number): number => at[camera % at.length] ?? 0;

function assertMet(cameras: readonly Camera[], { latencySeconds }: Slo): void {
  for (const { lost, latencies } of cameras) {
    assert.equal(lost, 0);
    const worst = Math.max(...latencies);
    assert.ok(worst <= 1000 * latencySeconds, `${worst} ms`);
  }
}

describe('the SLO of a session', () => {
  it('is met with all slots taken, whatever an engine costs and whenever cameras take their pictures', () => {
    fc.assert(
      fc.property(machines, slos, phases, (machine, slo, at) => {
        const { slots, rowBudget } = slotsOf(machine, slo);
        if (slots === 1) return;
        const cameras = Array.from({ length: slots }, (_, i) => new Camera(slo.fps, phaseOf(at, i)));
        run(machine, rowBudget, cameras);
        assertMet(cameras, slo);
      }),
    );
  });

  it('is met for sessions within their rate while others send as much as they can', () => {
    fc.assert(
      fc.property(machines, slos, phases, (machine, slo, at) => {
        const { slots, rowBudget } = slotsOf(machine, slo);
        if (slots === 1) return;
        const greedy = Math.floor(slots / 2);
        const cameras = Array.from(
          { length: slots },
          (_, i) => new Camera(i < greedy ? 60 : slo.fps, phaseOf(at, i)),
        );
        run(machine, rowBudget, cameras);
        assertMet(cameras.slice(greedy), slo);
      }),
    );
  });
});
