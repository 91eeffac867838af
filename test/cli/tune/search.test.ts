import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultParameters } from '@millrace/protocol';
import {
  callsOf,
  coarseGrid,
  plainCandidates,
  referenceFor,
  type Candidate,
  type Space,
} from '../../../src/cli/tune/candidates.js';
import { search, type Measure } from '../../../src/cli/tune/search.js';

const scheduler = {
  num_train_timesteps: 1000,
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
} as const;
const space: Space = { scheduler, usual: defaultParameters({}), strength: 0.5 };
const quiet = { pictures: [0, 2, 4], onTrial: () => {} };

/** Where a candidate's times lie, as shares of the schedule. */
const shares = ({ t_index_list: list, num_inference_steps: length }: Candidate): number[] =>
  (list ?? []).map((position) => position / length);

describe('the search of millrace tune', () => {
  it('finds the solver, its option and the times that come nearest, off the coarse grid', async () => {
    const wanted = [0.43, 0.81];
    const measure: Measure = async (candidate) => {
      const far = shares(candidate).reduce((sum, share, i) => sum + Math.abs(share - (wanted[i] ?? 0)), 0);
      const solver = candidate.solver === 'BDIAScheduler' ? 0 : 0.5;
      return Promise.resolve(solver + far + Math.abs(candidate.bdia_gamma - 0.75));
    };
    const grid = await Promise.all(coarseGrid(space, 2).map((candidate) => measure(candidate, 0)));
    const found = await search(space, measure, { budget: 2, ...quiet });
    assert.ok(found);
    assert.equal(found.candidate.solver, 'BDIAScheduler');
    assert.equal(found.candidate.bdia_gamma, 0.75);
    assert.ok(found.error < 0.7 * (Math.min(...grid.map((error) => error ?? 9)) - 0.25), `${found.error}`);
  });

  it('finds another solver for each step if that comes nearer, and what one for all steps reaches', async () => {
    const wanted = ['DDIMScheduler', 'GHVBScheduler', 'DPMSolverMultistepScheduler', 'DDIMScheduler'];
    const measure: Measure = async (candidate) => {
      const { solver, solver_schedule: schedule, solver_order: order } = candidate;
      const wrong = wanted.filter(
        (name, step) => (schedule ? (schedule[step] ?? schedule.at(-1)) : solver) !== name,
      );
      const far = Math.abs((shares(candidate)[0] ?? 0) - 0.45);
      return Promise.resolve(0.1 + wrong.length + far + (schedule && order === 3 ? -0.1 : 0));
    };
    const found = await search(space, measure, { budget: 4, ...quiet });
    assert.deepEqual(found?.candidate.solver_schedule, wanted);
    assert.equal(found.candidate.solver_order, 3, 'an option that helps only so');
    assert.equal(callsOf(scheduler, found.candidate), 4);
    const { candidate, error } = found.uniform;
    assert.deepEqual([candidate.solver, candidate.solver_schedule], ['DDIMScheduler', null]);
    assert.ok(error > found.error + 1.5);
    assert.equal(found.candidate.solver, 'DDIMScheduler', 'what sessions get with one for all');
  });

  it('keeps one solver where others in its steps come no nearer', async () => {
    const measure: Measure = async ({ solver, solver_schedule }) =>
      Promise.resolve(solver === 'BDIAScheduler' && solver_schedule === null ? 0.5 : 1);
    // What differs by rounding is no gain.
    const rounding: Measure = async ({ solver_schedule }) => Promise.resolve(solver_schedule ? 0.999999 : 1);
    for (const each of [measure, rounding]) {
      const found = await search(space, each, { budget: 2, ...quiet });
      assert.deepEqual(found?.candidate, found?.uniform.candidate);
      assert.equal(found?.candidate.solver_schedule, null);
    }
  });

  it('moves times and solvers together', async () => {
    // Only this solver in the last step gains from a late one, which no other would choose.
    const measure: Measure = async (candidate) => {
      const last = candidate.solver_schedule?.at(-1) ?? candidate.solver;
      const late = shares(candidate).at(-1) ?? 0;
      return Promise.resolve(last === 'BDIAScheduler' ? 1.2 - 0.5 * late : 1 + 0.1 * late);
    };
    const found = await search(space, measure, { budget: 2, ...quiet });
    assert.ok(found && found.error < 1, `${found?.error}`);
  });

  it('measures few candidates on all pictures', async () => {
    const counts = new Map<number, number>();
    const measure: Measure = async (candidate, picture) => {
      counts.set(picture, (counts.get(picture) ?? 0) + 1);
      return Promise.resolve(candidate.num_inference_steps / 1000);
    };
    await search(space, measure, { budget: 4, ...quiet });
    const [first = 0, second = 0, third = 0] = quiet.pictures.map((picture) => counts.get(picture));
    assert.ok(first > 1.8 * second && second > 1.2 * third, `${first}, ${second}, ${third}`);
  });

  it('passes over candidates that cannot be drawn, and finds none if none can', async () => {
    const onlyEuler: Measure = async ({ solver }) =>
      Promise.resolve(solver === 'EulerDiscreteScheduler' ? 1 : null);
    const found = await search(space, onlyEuler, { budget: 1, ...quiet });
    assert.equal(found?.candidate.solver, 'EulerDiscreteScheduler');
    assert.deepEqual(found.candidate, found.uniform.candidate, 'one call has one solver');
    assert.equal(await search(space, async () => Promise.resolve(null), { budget: 1, ...quiet }), null);
  });

  it('tries each solver that suits the model, with exactly the calls of the budget', () => {
    for (const calls of [1, 2, 4, 8]) {
      const grid = coarseGrid(space, calls);
      assert.ok(grid.every((candidate) => callsOf(scheduler, candidate) === calls));
      const solvers = new Set(plainCandidates(space, calls).map(({ solver }) => solver));
      assert.deepEqual(new Set(grid.map(({ solver }) => solver)), solvers);
      assert.ok(solvers.size >= 12, [...solvers].join());
    }
  });

  it('takes a reference of 100 calls from the strength of the model', () => {
    const reference = referenceFor(space);
    assert.equal(callsOf(scheduler, reference), 100);
    assert.equal(shares(reference)[0], 0.5);
    const mixed = { ...space.usual, solver_schedule: ['DDIMScheduler', 'BDIAScheduler'] as const };
    assert.equal(referenceFor({ ...space, usual: mixed }).solver_schedule, null);
    assert.ok(coarseGrid({ ...space, usual: mixed }, 2).every((one) => one.solver_schedule === null));
    const flow: Space = { ...space, scheduler: { prediction_type: 'flow' } };
    assert.equal(referenceFor(flow).solver, 'FlowMatchEulerDiscreteScheduler');
    assert.equal(callsOf(flow.scheduler, referenceFor(flow)), 100);
    // A schedule with fewer timesteps takes all that are left.
    const restoring: Space = {
      ...space,
      scheduler: { mean_reverting: { max_sigma: 50, T: 100, eps: 0.005 } },
    };
    assert.equal(callsOf(restoring.scheduler, referenceFor(restoring)), 50);
    assert.ok(coarseGrid(restoring, 2).length > 0);
  });
});
