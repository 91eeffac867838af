import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SolverName } from '../../src/diffusion/solvers/create.js';
import type { Lane, Stream } from '../../src/diffusion/stream.js';
import { assertClose } from '../support/compare.js';
import { advance, predict } from './fake-unet.js';
import { createStream, frameLatent, type StreamOptions } from './streams.js';

const schedules: readonly (readonly SolverName[])[] = [
  ['DDIMScheduler', 'GHVBScheduler', 'DPMSolverMultistepScheduler', 'UniPCMultistepScheduler'],
  ['DEISMultistepScheduler', 'BDIAScheduler', 'EulerDiscreteScheduler', 'PLMSWithHBScheduler'],
  ['LCMScheduler', 'EulerAncestralDiscreteScheduler', 'DPMSolverMultistepScheduler', 'TCDScheduler'],
];
const guidanceTypes = ['none', 'full', 'self', 'initialize'] as const;
const frames = 6;

/** Runs frames through a stream: admits whenever there is room, and drains at the end. */
function run(options: StreamOptions): ReadonlyMap<number, Float32Array> {
  const stream = createStream(options);
  const out = new Map<number, Float32Array>();
  for (let next = 0; next < frames || stream.oldestFrame !== null;) {
    for (let room = stream.room(); room > 0 && next < frames; room--) stream.admit(next, frameLatent(next++));
    for (const [frame, latent] of advance(stream)) out.set(frame, latent);
  }
  return out;
}

describe('a stream whose steps are made by several solvers', () => {
  it('gives the results of sequential denoising, with any guidance', () => {
    for (const schedule of schedules) {
      for (const cfgType of guidanceTypes) {
        for (const momentum of [1, 0.8]) {
          const options = { schedule, cfgType, momentum, order: 3 } as const;
          const [batched, single] = (['stream', 'sequential'] as const).map((denoise) =>
            run({ ...options, denoise }),
          );
          assert.deepEqual(batched, single, `${schedule.join()} ${cfgType}`);
          assert.equal(batched.size, frames);
          for (const latent of batched.values()) assert.ok(latent.every(Number.isFinite));
        }
      }
    }
  });

  it('differs from each of its solvers alone', () => {
    for (const schedule of schedules) {
      const mixed = run({ schedule }).get(3);
      for (const solver of schedule) assert.notDeepEqual(run({ schedule: [solver] }).get(3), mixed);
    }
  });

  it('keeps the stock noise of residual guidance while the prediction equals it', () => {
    for (const schedule of schedules.slice(0, 2)) {
      const stream = createStream({ schedule, cfgType: 'self' });
      stream.admit(0, frameLatent(0));
      const noise = stream.plan.noise.at(0, 0).slice();
      for (let stage = 0; stage < 4; stage++) {
        const [lane] = stream.lanes();
        let stock = new Float32Array();
        stream.absorb(lane, [noise], (trace) => (stock = trace.stock.slice()));
        assertClose(stock, noise, 1e-5, `stage ${stage}`);
      }
    }
  });

  it('continues from a snapshot as if nothing had happened, with frames at every stage', () => {
    for (const schedule of schedules) {
      const options = { schedule, cfgType: 'self', momentum: 0.8 } as const;
      const stream = createStream(options);
      for (let frame = 0; frame < 5; frame++) {
        stream.admit(frame, frameLatent(frame));
        advance(stream);
      }
      const other = createStream(options);
      other.restore(structuredClone(stream.snapshot()));
      for (let frame = 5; frame < 9; frame++) {
        for (const each of [stream, other]) each.admit(frame, frameLatent(frame));
        assert.deepEqual(advance(other), advance(stream), schedule.join());
      }
    }
  });

  it('takes frames of another schedule from a snapshot without harm to those after them', () => {
    const [first, second, third] = schedules;
    for (const [schedule, former] of [
      [first, second],
      [second, third],
      [third, undefined],
      [undefined, first],
    ]) {
      const before = createStream({ ...(former && { schedule: former }) });
      for (let frame = 0; frame < 3; frame++) {
        before.admit(frame, frameLatent(frame));
        advance(before);
      }
      const options = { ...(schedule && { schedule }) };
      const stream = createStream(options);
      stream.restore(structuredClone(before.snapshot()));
      const out = new Map<number, Float32Array>();
      for (let frame = 3; frame < frames || stream.oldestFrame !== null; frame++) {
        if (frame < frames) stream.admit(frame, frameLatent(frame));
        for (const [left, latent] of advance(stream)) out.set(left, latent);
      }
      assert.deepEqual([...out.keys()], [0, 1, 2, 3, 4, 5]);
      for (const latent of out.values()) assert.ok(latent.every(Number.isFinite));
      assert.deepEqual(out.get(4), run(options).get(4));
    }
  });

  it('shares calls with streams of other schedules and solvers, and none changes another', () => {
    const all: readonly StreamOptions[] = [
      ...schedules.map((schedule) => ({ schedule, cfgType: 'full' as const })),
      { solver: 'UniPCMultistepScheduler' },
      { solver: 'LCMScheduler', t_index_list: [20, 40] },
    ];
    const users = all.map((options) => ({
      stream: createStream(options),
      out: new Map<number, Float32Array>(),
      next: 0,
    }));
    const isBusy = ({ stream, next }: { stream: Stream; next: number }): boolean =>
      next < frames || stream.oldestFrame !== null;
    while (users.some(isBusy)) {
      const lanes: { user: (typeof users)[number]; lane: Lane }[] = [];
      for (const user of users) {
        if (user.next < frames && user.stream.room() > 0)
          user.stream.admit(user.next, frameLatent(user.next++));
        for (const lane of user.stream.lanes()) lanes.push({ user, lane });
      }
      // All rows are predicted before any frame advances.
      const predictions = lanes.flatMap(({ lane }) => lane.rows.map(predict));
      for (const { user, lane } of lanes) {
        const latent = user.stream.absorb(lane, predictions.splice(0, lane.rows.length));
        if (latent) user.out.set(lane.frame, latent.slice());
      }
    }
    for (const [i, { out }] of users.entries()) assert.deepEqual(out, run(all[i]), `stream ${i}`);
  });

  it('changes its schedule between frames: those under way keep theirs', () => {
    const [first, second] = schedules;
    const stream = createStream({ schedule: first });
    stream.admit(0, frameLatent(0));
    advance(stream);
    stream.plan = createStream({ schedule: second }).plan;
    stream.admit(1, frameLatent(1));
    const out = new Map<number, Float32Array>();
    while (stream.oldestFrame !== null) for (const [frame, latent] of advance(stream)) out.set(frame, latent);
    assert.deepEqual(out.get(0), run({ schedule: first }).get(0));
    assert.deepEqual(out.get(1), run({ schedule: second }).get(1));
  });
});
