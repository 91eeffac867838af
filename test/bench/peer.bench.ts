import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { readModelFolder } from '../../src/model/folder.js';
import { readSettings } from '../../src/settings/settings.js';
import { RecordedStream, startEngine, tinyParameters, type TestEngine } from '../support/engine.js';
import { realFrames } from '../support/pictures.js';
import { Original, type Round } from './peer/original.js';
import { pythonEnvironment } from './python-environment.js';
import { median, report, type Figure } from './report.js';

/**
 * Millrace against the original StreamDiffusion (streamdiffusion 0.1.1 on PyTorch, float32) with the same weights,
 * frames and number of threads, on this CPU: `npm run bench -- peer`. See peer/README.md.
 */
const side = 256;
const rounds = 5;
const framesARound = 12;
const stepLists = [[38], [32, 45]] as const;
const { model } = readSettings({ environment: process.env });
const threads = Number(process.env['MILLRACE_THREADS'] ?? availableParallelism());

/** Runs a round: each frame starts when the previous one is done. */
type Side = (indices: readonly number[]) => Promise<Round>;

const python = await pythonEnvironment({
  bench: 'peer',
  // Its own requirements, from 2023, ask for an older diffusers; it also runs with the current one.
  alone: ['streamdiffusion==0.1.1'],
  oldest: 11,
  notice: 'Installing the original with PyTorch, once: several hundred megabytes, or gigabytes with CUDA…',
  missing: (reason) => `the original cannot be installed (venv and pip are needed): ${reason}`,
});
if ('missing' in python) console.log(`\npeer: not measured. ${python.missing}`);
else await compare(python.program);

async function compare(program: string): Promise<void> {
  const frames = (await realFrames(side, side)).slice(0, framesARound);
  const folder = await mkdtemp(join(tmpdir(), 'millrace-peer-'));
  try {
    const file = join(folder, 'frames');
    await writeFile(file, Buffer.concat(frames.map(({ data }) => data)));
    await using original = await Original.start({ program, model, frames: file, side, threads });
    await using inFloats = await startEngine(model, { threads, precision: 'float' });
    const { int8 } = await readModelFolder(model);
    await using in8Bits = int8 ? await startEngine(model, { threads, precision: 'int8' }) : null;
    const ours = (run: TestEngine): Side => {
      return (indices) => play(run, indices, frames);
    };
    const sides: Readonly<Record<string, Side>> = {
      [`the original (${original.versions})`]: (indices) => original.round(framesARound, indices),
      'Millrace in floats': ours(inFloats),
      ...(in8Bits && { 'Millrace in 8 bits': ours(in8Bits) }),
    };
    const figures: Figure[] = [];
    for (const indices of stepLists) figures.push(...(await inTurns(sides, indices)));
    report(`peer, ${threads} threads`, figures);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function inTurns(sides: Readonly<Record<string, Side>>, indices: readonly number[]): Promise<Figure[]> {
  const names = Object.keys(sides);
  const [first = ''] = names;
  const medians = new Map<string, number[]>(names.map((name) => [name, []]));
  const cpu = new Map<string, number[]>(names.map((name) => [name, []]));
  const drawn = new Map<string, Uint8Array>();
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const result = await sides[name](indices);
      if (round > 0) {
        medians.get(name)!.push(median(result.ms));
        cpu.get(name)!.push(result.cpuMs);
      }
      drawn.set(name, result.drawn);
    }
  }
  const steps = indices.length === 1 ? 'one step' : `${indices.length} steps`;
  const originals = medians.get(first)!;
  return names.flatMap((name): Figure[] => {
    const own = medians.get(name)!;
    const time = { what: `a frame of ${name}, ${steps}`, value: median(own), unit: 'ms' };
    if (name === first) return [time];
    const ratios = own.map((ms, round) => originals[round] / ms);
    const goal = name === names.at(-1) && indices.length === 1 ? { goal: 'at least 2.5' } : {};
    return [
      time,
      { what: `the original over ${name}, ${steps}`, value: median(ratios), unit: 'x', ...goal },
      { what: '  lowest of the rounds', value: Math.min(...ratios), unit: 'x' },
      { what: '  highest of the rounds', value: Math.max(...ratios), unit: 'x' },
      {
        what: '  of the time of processors',
        value: median(cpu.get(name)!.map((ms, round) => cpu.get(first)![round] / ms)),
        unit: 'x',
      },
      {
        what: '  likeness of the pictures',
        value: likeness(drawn.get(first)!, drawn.get(name)!),
        unit: 'dB',
      },
    ];
  });
}

async function play(
  run: TestEngine,
  indices: readonly number[],
  frames: Awaited<ReturnType<typeof realFrames>>,
): Promise<Round> {
  const parameters = tinyParameters({
    width: side,
    height: side,
    prompt: 'oil painting',
    t_index_list: [...indices],
    cfg_type: 'none',
  });
  const stream = await RecordedStream.open(run.engine, parameters);
  const ms: number[] = [];
  const before = process.cpuUsage();
  for (const [frame, image] of frames.entries()) {
    const own = { ...image, data: image.data.slice() };
    const start = performance.now();
    stream.stream.push(frame, { image: own }, { replace: false });
    await stream.until(() => stream.answered > frame);
    ms.push(performance.now() - start);
  }
  const { user, system } = process.cpuUsage(before);
  const cpuMs = (user + system) / 1000 / frames.length;
  const drawn = stream.results.get(frames.length - 1) ?? new Uint8Array();
  stream.stream.close();
  return { ms, cpuMs, drawn };
}

/** Returns the peak signal-to-noise ratio in decibels; the sides differ in their noise. */
function likeness(a: Uint8Array, b: Uint8Array): number {
  const error = a.reduce((sum, value, i) => sum + (value - (b[i] ?? 0)) ** 2, 0) / a.length;
  return 10 * Math.log10(255 ** 2 / Math.max(error, 0.01));
}
