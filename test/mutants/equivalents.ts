import { pictureEquivalents } from './picture-equivalents.js';
import { engineEquivalents } from './engine-equivalents.js';
import type { Mutant } from './mutants.js';
import { sessionEquivalents } from './session-equivalents.js';

/** A mutant that no test can notice because it behaves like the code. */
export interface Equivalent {
  readonly file: string;
  /** The line of the source, without its indentation; absent if the change is clear without it. */
  readonly source?: string;
  /** As in the report: `a < b -> a <= b`. */
  readonly change: string | RegExp;
  readonly reason: string;
}

const lost = 'A typed array ignores writes beyond its end.';
const unused = 'Sums beyond the block are not stored.';
const inRange = 'The index is within the array: the fallback only satisfies the compiler.';

export const equivalents: readonly Equivalent[] = [
  ...Object.entries({
    blend: /^i < out\.length -> i <= /,
    emphasis: /^i < states\.length -> i <= /,
    guidance: /^i < eps\.length -> i <= /,
    noise: /^i < z\.length -> i <= /,
    prediction: /^i < out\.length -> i <= /,
    stream: /^i < (?:sample|row\.input|stock)\.length -> i <= /,
  }).map(([name, change]) => ({ file: `src/diffusion/${name}.ts`, change, reason: lost })),
  {
    file: 'src/diffusion/noise.ts',
    source: 'for (let i = 0; i < out.length; i++) out[i] += (weight / norm) * gaussian.next();',
    change: 'i < out.length -> i <= out.length',
    reason: `${lost} No further number is drawn.`,
  },
  {
    file: 'src/diffusion/stream.ts',
    change: 'this.#free.push(frame) -> this.#free.unshift(frame)',
    reason: 'Any free one works.',
  },
  {
    file: 'src/diffusion/solvers/linear/linear-solver.ts',
    change: 'start < step.out.length -> start <= step.out.length',
    reason: 'A further block would be empty.',
  },
  ...['=', '+='].map((operator) => ({
    file: 'src/diffusion/solvers/linear/linear-solver.ts',
    source: `for (let i = 0; i < count; i++) sums[i] ${operator} weightA * a[start + i] + weightB * b[start + i];`,
    change: 'i < count -> i <= count',
    reason: unused,
  })),
  {
    file: 'src/engine/worker/calibration/precision.ts',
    change: /^(?:a|b|latent|out)\[.+\] \?\? 0 -> (?!\(0\)$)/,
    reason: inRange,
  },
  ...['deis', 'dpm-solver', 'euler', 'heun', 'unipc'].map((name) => ({
    file: `src/diffusion/solvers/${name}.ts`,
    change: /(?:timesteps: 'inclusive'|, 'preserving'\)|\? 'sigma_min' : .*) -> .*''/,
    reason: 'The code checks only for the other values; this one is the remaining case.',
  })),
  {
    file: 'src/engine/worker/streams/live-stream.ts',
    source: 'const steering = this.#steering(0, performance.now());',
    change: /^this\.#steering\(0, performance\.now\(\)\) -> this\.#steering\(.*1\)?, /,
    reason: 'No prompt moves yet.',
  },
  {
    file: 'src/engine/worker/conditioning/prompt-embedder.ts',
    change: /^prompts\[i\]\?\.weight(?: \?\? 0)? -> \(?prompts/,
    reason: 'There are as many prompts as embeddings.',
  },
  {
    file: 'src/engine/costs.ts',
    source: 'const rate = curves.reduce((sum, curve) => sum + 1 / (curve[i]?.ms ?? Infinity), 0);',
    change: /^curve\[i\]\?\.ms(?: \?\? Infinity)? -> \(?curve/,
    reason: 'All curves are measured at the same numbers of rows.',
  },
  {
    file: 'src/engine/worker/streams/live-stream.ts',
    change: 'this.#screened = 0 -> this.#screened = (-1)',
    reason: 'The next pass over the waiting frames reaches 0 before it reaches a frame.',
  },
  ...pictureEquivalents,
  {
    file: 'src/session/frames/stall-guard.ts',
    change: /: 0 -> .* : \(-1\)$/,
    reason: 'The greater of this and two frame intervals counts.',
  },
  {
    file: 'src/engine/worker/conditioning/embedding-cache.ts',
    change: /^this\.#entries\.size > this\.#capacity && oldest !== undefined -> \(this/,
    reason: inRange,
  },
  {
    file: 'src/engine/worker/streams/work-prices.ts',
    change: /^this\.#prices\.size > mostPrices && oldest !== undefined -> \(this/,
    reason: inRange,
  },
  {
    file: 'src/engine/worker/streams/live-stream.ts',
    change: /^parameters\.seed\[0\]\?\.seed(?: \?\? 0)? -> (?!\(0\)$)\(?parameters\.seed\[0\]/,
    reason: 'A list of seeds has at least one.',
  },
  {
    file: 'src/session/live/sessions.ts',
    change: /^count === 0 -> (?:count === \(-1\)|false)$/,
    reason: 'A user with no more sessions to come is the same as an unknown user.',
  },
  {
    file: 'src/engine/host/engine-group.ts',
    change: /^others\.length === 0 -> (?:others\.length === \(-1\)|false)$/,
    reason: 'A group of one behaves like its engine.',
  },
  {
    file: 'src/diffusion/solvers/linear/linear-system.ts',
    source: 'for (let row = column + 1; row < size; row++) {',
    change: /^column \+ 1 -> (?:\(column\)|column \+ 0)$/,
    reason: 'The pivot is not greater than itself.',
  },
  {
    file: 'src/image/encode.ts',
    change: 'idle.push(work) -> idle.unshift(work)',
    reason: 'Any that is large enough works.',
  },
  {
    file: 'src/engine/worker/streams/live-stream.ts',
    change:
      /^(?:!waiting \|\| .* -> \(?this\.#filter|!waiting -> false|lane === undefined -> false|oldest -> true)/,
    reason: 'They only satisfy the compiler.',
  },
  {
    file: 'src/engine/worker/planning/plan.ts',
    source: "typeof parameters.seed === 'number' ? [{ seed: parameters.seed, weight: 1 }] : parameters.seed;",
    change: 'weight: 1 -> weight: 2',
    reason: 'A single seed has all the weight.',
  },
  {
    file: 'src/engine/worker/networks/unet.ts',
    change: /^feeds\.push\(.* -> feeds\.unshift\(/,
    reason: 'The inputs of a network have names: their order does not matter.',
  },
  {
    file: 'src/engine/worker/networks/unet.ts',
    change:
      /^(?:rows\[(?:index|0)\]\??.* -> \(?rows\[(?:index|0)\]\.?[a-z.]*\)?$|rows\[0\].* \?\? 0 -> .*\?\? |predictions\[i\] && )/,
    reason: inRange,
  },
  {
    file: 'src/engine/worker/networks/unet.ts',
    change: 'calls.length === 1 -> false',
    reason: 'It only saves a copy of the predictions.',
  },
  {
    file: 'src/engine/worker/networks/unet.ts',
    change: 'takesChunks = false -> takesChunks = true',
    reason: 'The default is for an instance that tries the graph and does not read it.',
  },
  {
    file: 'src/engine/worker/streams/frame-loop.ts',
    change: 'placed.push({ stream, lane }) -> placed.unshift({ stream, lane })',
    reason: 'Rows are predicted separately: their order within a call does not matter.',
  },
  {
    file: 'src/engine/worker/streams/frame-loop.ts',
    change: /^(?:this\.#passages\.get\(stream\)|passages)\?\.(?:set|delete) -> /,
    reason: 'A stream has its passages as long as it has frames.',
  },
  {
    file: 'src/engine/worker/calibration/trial-picture.ts',
    change: /^stream\.admit\(0, .* -> stream\.admit\(\(?-?1/,
    reason: 'One frame is under way at a time, so any number works.',
  },
  {
    file: 'src/engine/worker/calibration/trial-picture.ts',
    change: /^(?:prompt\[0\]|latent -> true|(?:type|scale|delta|denoise|frameBufferSize): )/,
    reason: 'A prompt has at least one part, and a frame of one step has neither guidance nor a next step.',
  },
  {
    file: 'src/engine/worker/calibration/trial-picture.ts',
    change: 'y < height -> y <= height',
    reason: lost,
  },
  {
    file: 'src/engine/worker/calibration/measure.ts',
    change: /^blankRow\(.*, 500\) -> /,
    reason: 'A call takes the same time at any timestep.',
  },
  {
    file: 'src/session/connection/handshake.ts',
    source: 'if (from) sessions.spend(id, spentBy(from));',
    change: 'from -> true',
    reason: 'A new session has no token with number 0 that could be spent.',
  },
  {
    file: 'protocol/src/structure.ts',
    change: /^\[\d, 'scalar'\] -> \[\d, ''\]$/,
    reason: 'Any kind without text or values is skipped by its length.',
  },
  {
    file: 'src/engine/worker/networks/runtime.ts',
    change: 'index: 0 -> index: (-1)',
    reason: 'There is one CPU device: its number is not read.',
  },
  {
    file: 'src/engine/worker/networks/finite.ts',
    change: /^sum (?:= 0 -> sum = (?:1|\(-1\))|\+= .* -> sum -= .*)$/,
    reason: 'The code only checks whether the sum is finite.',
  },
  ...engineEquivalents,
  {
    file: 'src/engine/host/supervisor.ts',
    change: "case 'failed': -> case '':",
    reason: 'A message without a stream finds no stream, and it holds no result.',
  },
  {
    file: 'src/session/frames/result-window.ts',
    change: 'this.#shutSince ??= now -> this.#shutSince = now',
    reason: 'No result is sent while the window is closed.',
  },
  ...sessionEquivalents,
];

export function changeOf({ before, after }: Mutant): string {
  return `${before} -> ${after}`;
}

export function matches({ file, source, change }: Equivalent, mutant: Mutant): boolean {
  if (file !== mutant.file || (source !== undefined && source !== mutant.source)) return false;
  return typeof change === 'string' ? change === changeOf(mutant) : change.test(changeOf(mutant));
}
