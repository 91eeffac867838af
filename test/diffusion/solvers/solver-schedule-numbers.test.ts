import { test } from 'node:test';
import { createSolver } from '../../../src/diffusion/solvers/create.js';
import { assertClose } from '../../support/compare.js';
import { createHistory, defaultOptions, stableDiffusion } from './solver-settings.js';

// Written from the equations of the papers, in double precision, with nothing of the solvers.

const schedule = ['DEIS', 'GHVB', 'DPM', 'DEIS', 'UniPC', 'BDIA', 'GHVB'] as const;
const names = {
  DEIS: 'DEISMultistepScheduler',
  GHVB: 'GHVBScheduler',
  DPM: 'DPMSolverMultistepScheduler',
  UniPC: 'UniPCMultistepScheduler',
  BDIA: 'BDIAScheduler',
} as const;
const positions = [3, 11, 20, 32, 41, 46, 48];
const beta = 0.8;
const gamma = 0.5;

interface Level {
  readonly a: number;
  readonly b: number;
  /** b / a. */
  readonly rho: number;
  /** log(a / b). */
  readonly lambda: number;
}

/** Returns the noise level at a training timestep of Stable Diffusion. */
function levelAt(timestep: number): Level {
  const [first, last] = [Math.sqrt(0.00085), Math.sqrt(0.012)];
  let abar = 1;
  for (let t = 0; t <= timestep; t++) abar *= 1 - (first + (t / 999) * (last - first)) ** 2;
  const [a, b] = [Math.sqrt(abar), Math.sqrt(1 - abar)];
  return { a, b, rho: b / a, lambda: Math.log(a / b) };
}

const levels = [...positions.map((position) => levelAt(999 - 20 * position)), levelAt(0)];
const predict = (x: number, step: number): number => Math.tanh(0.7 * x + 0.3 * step);

/** The samples, predicted noise and clean estimates so far. */
interface Path {
  readonly x: number[];
  readonly eps: number[];
  readonly clean: number[];
}

/** Moves a sample to another level by DDIM (Song et al. 2021, equation 12). */
const ddim = ({ clean, eps }: Path, i: number, { a, b }: Level): number => a * clean[i] + b * eps[i];

/** Zhang and Chen 2023, log-rho AB, of order 2; the integral by the midpoint rule. */
function deis(path: Path, i: number): number {
  const [from, to] = [levels[i], levels[i + 1]];
  if (i === 0) return ddim(path, i, to);
  const [u0, u1] = [Math.log(from.rho), Math.log(levels[i - 1].rho)];
  const extrapolated = (rho: number): number =>
    path.eps[i] + ((path.eps[i] - path.eps[i - 1]) * (Math.log(rho) - u0)) / (u0 - u1);
  const intervals = 2000;
  const width = (to.rho - from.rho) / intervals;
  let integral = 0;
  for (let k = 0; k < intervals; k++) integral += width * extrapolated(from.rho + (k + 0.5) * width);
  return to.a * (path.x[i] / from.a + integral);
}

/** Wizadwongsa et al. 2024, GHVB of order 2: the velocity is a running mean of the noise. */
function ghvb({ x, eps }: Path, i: number): number {
  const velocities = [eps[0]];
  for (let k = 1; k <= i; k++) velocities.push((1 - beta) * velocities[k - 1] + beta * eps[k]);
  const direction = ((2 + beta) * velocities[i] + (beta - 2) * velocities[i - 1]) / (2 * beta);
  const [from, to] = [levels[i], levels[i + 1]];
  return to.a * (x[i] / from.a + (to.rho - from.rho) * direction);
}

/**
 * Lu et al. 2022b, DPM-Solver++ 2M, with the running mean of its directions, which starts at the first step of second
 * order.
 */
function dpm({ x, clean }: Path, i: number): number {
  const directionAt = (k: number): number => {
    const r = (levels[k].lambda - levels[k - 1].lambda) / (levels[k + 1].lambda - levels[k].lambda);
    return clean[k] + (clean[k] - clean[k - 1]) / (2 * r);
  };
  let mean = directionAt(1);
  for (let k = 2; k <= i; k++) mean = (1 - beta) * mean + beta * directionAt(k);
  const [from, to] = [levels[i], levels[i + 1]];
  return (to.b / from.b) * x[i] - to.a * Math.expm1(from.lambda - to.lambda) * mean;
}

/**
 * Zhao et al. 2023, UniPC of order 2 with B(h) = exp(h) - 1: corrects from where the step before began. Momentum averages
 * the directions of all corrections so far, each over the noise level that it leads to.
 */
function uniPc({ x, clean }: Path, i: number): number {
  /** What a correction adds to the start, as a multiple of -a (exp(-h) - 1), over b. */
  const directionAt = (k: number): number => {
    const [from, to] = [levels[k - 1], levels[k]];
    const h = to.lambda - from.lambda;
    const change = clean[k] - clean[k - 1];
    const big = Math.expm1(-h);
    const phi1 = big / -h - 1;
    if (k === 1) return (clean[0] + change / 2) / to.b;
    const r = (levels[k - 2].lambda - from.lambda) / h;
    const slope = (clean[k - 2] - clean[k - 1]) / r;
    // w1 + w2 = phi1 / B, r w1 + w2 = 2 phi2 / B.
    const [p, q] = [phi1 / big, (2 * (phi1 / -h - 1 / 2)) / big];
    const w1 = (p - q) / (1 - r);
    return (clean[k - 1] + w1 * slope + (p - w1) * change) / to.b;
  };
  let mean = directionAt(1);
  for (let k = 2; k <= i; k++) mean = (1 - beta) * mean + beta * directionAt(k);
  const [before, from, to] = [levels[i - 1], levels[i], levels[i + 1]];
  const big = Math.expm1(before.lambda - from.lambda);
  const corrected = (from.b / before.b) * x[i - 1] - from.a * from.b * big * mean;
  const h = to.lambda - from.lambda;
  const slope = ((clean[i - 1] - clean[i]) * h) / (before.lambda - from.lambda);
  return (to.b / from.b) * corrected - to.a * Math.expm1(-h) * (clean[i] + slope / 2);
}

/** Zhang et al. 2024, BDIA: the step before, made backwards, replaces a part of itself. */
function bdia(path: Path, i: number): number {
  return ddim(path, i, levels[i + 1]) + gamma * (path.x[i - 1] - ddim(path, i, levels[i - 1]));
}

const methods = { DEIS: deis, GHVB: ghvb, DPM: dpm, UniPC: uniPc, BDIA: bdia };

test('steps of different solvers are those of the papers, each with the history that there is', () => {
  const solver = createSolver(
    { ...stableDiffusion, final_sigmas_type: 'sigma_min' },
    {
      ...defaultOptions,
      solver_schedule: schedule.map((name) => names[name]),
      num_inference_steps: 50,
      t_index_list: positions,
      momentum_beta: beta,
      bdia_gamma: gamma,
    },
  );
  const history = createHistory(solver, 1);
  const sample = Float64Array.of(1.3);
  const path: Path = { x: [1.3], eps: [], clean: [] };
  for (const [step, name] of schedule.entries()) {
    const { a, b } = levels[step];
    const eps = predict(path.x[step], step);
    path.eps.push(eps);
    path.clean.push((path.x[step] - b * eps) / a);
    path.x.push(methods[name](path, step));
    const predicted = Float64Array.of(predict(sample[0], step));
    solver.step({ stage: step, sample, eps: predicted, noise: predicted, history, out: sample });
    assertClose(sample, [path.x[step + 1]], 2e-5, `step ${step} by ${name}`);
  }
});
