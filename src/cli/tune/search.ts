import { Gaussian } from '../../diffusion/gaussian.js';
import {
  callsOf,
  coarseGrid,
  withMovedTimes,
  withOptions,
  type Candidate,
  type Space,
} from './candidates.js';
import { withExchangedSolvers, withRandomSolvers } from './step-solvers.js';

/** Returns the error of a candidate on a picture; null if the picture cannot be drawn so. */
export type Measure = (candidate: Candidate, picture: number) => Promise<number | null>;

/** A candidate with its root mean square error over pictures. */
interface Scored {
  readonly candidate: Candidate;
  readonly error: number;
}

/** What a search found. */
export interface Found extends Scored {
  /** The best with one solver for all steps. */
  readonly uniform: Scored;
}

export interface SearchOptions {
  /** U-Net calls for a picture. */
  readonly budget: number;
  /** Numbers of the pictures. */
  readonly pictures: readonly number[];
  /** Called for each measurement: what is going on, the trials so far and in all, and the best error. */
  readonly onTrial: (stage: string, done: number, total: number, best: number) => void;
}

/** Share of the candidates that is left after each picture. */
const kept = 1 / 3;
const survivors = 4;
const generations = 6;
const children = 8;
/** Most rounds in which each step of the nearest tries each other solver. */
const exchanges = 4;
/** The share of the error of one solver below which another for each step is worth a list: others differ by rounding. */
const worthwhile = 0.99;
/** Attempts at a child that the model can be run with. */
const attempts = 8;
/**
 * Standard deviation of the moves of times in the first generation, as a share of the schedule, and how it shrinks. With
 * the solvers of steps, times are near their best already.
 */
const firstMove = 0.06;
const laterMove = 0.04;
const shrink = 0.7;

/**
 * Searches for the candidate that comes nearest to the reference, in stages: a coarse grid of solvers, spacings and
 * times, then the options of the best solvers, then the evolution of their times; then, from the best with one solver,
 * another one in each step, the options of these, and the evolution of times and solvers together. In each stage, most
 * candidates are dropped after the first picture (successive halving). The search is the same each time.
 * @returns null if no candidate makes this many calls.
 */
export async function search(space: Space, measure: Measure, options: SearchOptions): Promise<Found | null> {
  const { budget } = options;
  const random = new Gaussian(1);
  let best: readonly Scored[] = [];
  let uniform: Scored | undefined;
  const improve = async (stage: string, candidates: readonly Candidate[]): Promise<void> => {
    best = merge(best, await halve(stage, candidates, measure, options));
    const nearest = best.find(({ candidate }) => candidate.solver_schedule === null);
    if (nearest && nearest.error < (uniform?.error ?? Infinity)) uniform = nearest;
  };
  const others = (ways: typeof withOptions, from = best): readonly Candidate[] =>
    from.flatMap(({ candidate }) => ways(space, candidate, budget));
  const evolve = async (
    stage: string,
    move: number,
    change: (parent: Candidate) => Candidate,
  ): Promise<void> => {
    for (let generation = 0; generation < generations; generation++) {
      const width = move * shrink ** generation;
      const born = Array.from({ length: children }, (_, i) => {
        const parent = best[i % best.length];
        return parent
          ? firstChild(() => moveTimes(change(parent.candidate), width, random), isPossible)
          : null;
      });
      const living = born.filter((child) => child !== null);
      await improve(`${stage} ${generation + 1}/${generations}`, living);
    }
  };
  const isPossible = (candidate: Candidate): boolean => callsOf(space.scheduler, candidate) === budget;

  await improve('solvers', coarseGrid(space, budget));
  for (let round = 1; round <= 2; round++) await improve(`options ${round}/2`, others(withOptions));
  await evolve('times', firstMove, (parent) => parent);
  if (budget > 1) {
    for (let [round, before] = [1, Infinity]; round <= exchanges && nearestOf(best) < before; round++) {
      before = nearestOf(best);
      await improve(`solvers of steps ${round}/${exchanges}`, others(withExchangedSolvers, best.slice(0, 1)));
    }
    await improve('options of steps', others(withOptions));
    await evolve('times and solvers', laterMove, (parent) => withRandomSolvers(space, parent, random));
  }
  const [found] = best;
  if (!found || !uniform) return null;
  return { ...(found.error < worthwhile * uniform.error ? found : uniform), uniform };
}

/** Returns the error of the nearest, which is the first; infinite if there is none. */
function nearestOf([first]: readonly Scored[]): number {
  return first?.error ?? Infinity;
}

/** Returns the candidate with each time moved at random; null if some fall together. @param width of most moves. */
function moveTimes(candidate: Candidate, width: number, random: Gaussian): Candidate | null {
  const shares = candidate.t_index_list?.map(() => width * random.next());
  return withMovedTimes(candidate, shares ?? []);
}

/** Returns the first possible one of a few children; null if none is. */
function firstChild(
  bear: () => Candidate | null,
  isPossible: (child: Candidate) => boolean,
): Candidate | null {
  for (let tries = 0; tries < attempts; tries++) {
    const child = bear();
    if (child && isPossible(child)) return child;
  }
  return null;
}

/** Returns the best of both that differ in their solver or times, nearest first. */
function merge(a: readonly Scored[], b: readonly Scored[]): readonly Scored[] {
  const all = [...a, ...b].toSorted((one, other) => one.error - other.error);
  // What an option does not change has the same error: the earlier one stays.
  const distinct = all.filter(
    ({ error }, i) => !all.slice(0, i).some((before) => Math.abs(before.error - error) < 1e-9),
  );
  return distinct.slice(0, survivors);
}

/** Measures candidates picture by picture, and drops the worst after each. @returns those left, nearest first. */
async function halve(
  stage: string,
  candidates: readonly Candidate[],
  measure: Measure,
  { pictures, onTrial }: SearchOptions,
): Promise<readonly Scored[]> {
  let left = candidates.map((candidate) => ({ candidate, squares: 0, error: Infinity }));
  const counts = pictures.map((_, i) => Math.max(survivors, Math.ceil(candidates.length * kept ** i)));
  const total = counts.reduce((sum, count) => sum + Math.min(count, candidates.length), 0);
  let done = 0;
  for (const [i, picture] of pictures.entries()) {
    left = left.slice(0, counts[i]);
    let best = Infinity;
    for (const one of left) {
      const error = await measure(one.candidate, picture);
      one.squares += error === null ? Infinity : error ** 2;
      one.error = Math.sqrt(one.squares / (i + 1));
      best = Math.min(best, one.error);
      onTrial(stage, ++done, total, best);
    }
    left = left.filter(({ error }) => error < Infinity).sort((a, b) => a.error - b.error);
  }
  return left.slice(0, survivors).map(({ candidate, error }) => ({ candidate, error }));
}
