import { execFile } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { repositoryRoot } from '../../support/reference.js';
import { inTurns, ratio } from '../pipeline-rig.js';
import { median, type Figure } from '../report.js';

const run = promisify(execFile);
export const script = join(repositoryRoot, 'test/bench/fused/unets.py');

/** U-Nets in both forms, and how they are called. */
export interface UnetTrials {
  /** Has `plain/model.onnx` and `fused/model.onnx`. */
  readonly folder: string;
  readonly device: string;
  /** Environment of the processes that run the graphs. */
  readonly environment?: NodeJS.ProcessEnv;
  readonly rows: number;
  /** Of the latents. */
  readonly side: number;
  /** Processes of each form, and calls of each. */
  readonly rounds: number;
  readonly threads: number;
}

/** The Python that times torch, and the width of the first block. */
export interface Torch {
  readonly python: string;
  readonly width: number;
}

interface Cost {
  readonly ms: number;
  readonly mb: number;
}

/** Compares the time and memory of a U-Net with plain attention, with fused attention, and in torch if it is there. */
export async function attentionFigures(trials: UnetTrials, torch: Torch | null): Promise<Figure[]> {
  const { folder, device, rows, side, rounds, threads, environment } = trials;
  const program = fileURLToPath(new URL('run-graph.js', import.meta.url));
  const numbers = [rows, side, rounds, threads].map(String);
  const costOf = async (name: 'plain' | 'fused' | 'torch'): Promise<Cost> => {
    const [command, args] =
      name === 'torch' && torch
        ? [torch.python, [script, 'time', folder, String(torch.width), ...numbers]]
        : [process.execPath, [program, join(folder, name, 'model.onnx'), device, ...numbers]];
    const { stdout } = await run(command, args, { env: { ...process.env, ...environment } });
    return JSON.parse(stdout) as Cost;
  };
  const costs = await inTurns(torch ? ['plain', 'fused', 'torch'] : ['plain', 'fused'], costOf, rounds);
  const of = (name: keyof typeof costs, what: keyof Cost): readonly number[] =>
    costs[name].map((cost) => cost[what]);
  const call = `${rows} x ${side}x${side} on ${device}`;
  const figures: Figure[] = [
    { what: `a call of ${call}, plain`, value: median(of('plain', 'ms')), unit: 'ms' },
    { what: 'fused over plain, time', value: ratio(of('fused', 'ms'), of('plain', 'ms')), unit: 'x' },
  ];
  if (torch) {
    figures.push({
      what: 'fused over torch, time',
      value: ratio(of('fused', 'ms'), of('torch', 'ms')),
      unit: 'x',
    });
  }
  if (device !== 'cpu') return figures;
  for (const name of ['plain', 'fused', ...(torch ? ['torch' as const] : [])] as const) {
    figures.push({
      what: `memory of calls besides the network, ${name}`,
      value: median(of(name, 'mb')),
      unit: 'MB',
    });
  }
  return figures;
}
