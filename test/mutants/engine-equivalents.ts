import type { Equivalent } from './equivalents.js';

const inRange = 'The index is within the array: the fallback only satisfies the compiler.';
const lost = 'A typed array ignores writes beyond its end.';

/** Equivalents in the engine. */
export const engineEquivalents: readonly Equivalent[] = [
  {
    file: 'src/engine/worker/networks/unet.ts',
    source:
      'Array.from({ length: Math.ceil(group.length / most) }, (_, i) => group.slice(i * most, (i + 1) * most)),',
    change: 'i + 1 -> i + 2',
    reason:
      'The call takes the first rows alone, and the results of the others are replaced by those of the next call.',
  },
  {
    file: 'src/engine/worker/networks/unet.ts',
    change: /^this\.mixesTimesteps \? 0 : stage\.timestep -> this\.mixesTimesteps \? (?:1|\(-1\)) : /,
    reason: 'All rows are in one group, whatever its key.',
  },
  {
    file: 'src/engine/worker/networks/text-encoders.ts',
    change: 'states -> true',
    reason: inRange,
  },
  {
    file: 'src/engine/worker/networks/onnx-part.ts',
    change: /^new (?:Float32|Uint16)Array\(0\) -> new \w+\(1\)$/,
    reason: 'It grows to the requested size.',
  },
  {
    file: 'src/engine/worker/calibration/cache.ts',
    change: /^readFile\(.*, 'utf8'\) -> /,
    reason: 'What accepts a text also accepts it as UTF-8 bytes.',
  },
  {
    file: 'src/engine/costs.ts',
    change: 'point.rows >= rows -> point.rows > rows',
    reason: 'At a measured number of rows both sides give the measured cost.',
  },
  {
    file: 'src/engine/worker/calibration/export-notes.ts',
    change: /^notes\.push\(`\$\{file\} takes (?:1 row|exactly) .* -> notes\.unshift/,
    reason: 'It is the first note.',
  },
  {
    file: 'src/engine/worker/calibration/measure.ts',
    change:
      /^(?:isTime\(pictureMs\) && Array\.isArray\(costs\) -> \(isTime|one !== undefined -> true|one !== undefined && .* -> \(await )/,
    reason: 'A value without entries is not a measurement either, and a measurement has a time for one row.',
  },
  {
    file: 'src/engine/worker/main.ts',
    change: /^new BufferPool\(8\) -> /,
    reason: 'The number of kept buffers changes only the cost of a frame.',
  },
  {
    file: 'src/engine/worker/main.ts',
    change: /^frameMs = 0 -> /,
    reason: 'Before the first frame, the number of changes made at a time affects no frame.',
  },
  {
    file: 'src/engine/worker/main.ts',
    change: /^this\.#messages\.length > 0 -> (?:false|this\.#messages\.length > 1)$/,
    reason: 'No message arrives between taking the present ones and waiting for others.',
  },
  {
    file: 'src/engine/worker/main.ts',
    change: "precision = 'auto' -> precision = ''",
    reason: 'The code only checks whether it differs from this value.',
  },
  {
    file: 'src/engine/worker/conditioning/prompt-embedder.ts',
    change: /^this\.#nothing\?\.encoder_hidden_states \?\? null -> \(this\.#nothing/,
    reason: 'The code only checks whether it differs from this value.',
  },
  {
    file: 'src/engine/worker/networks/text-encoders.ts',
    change: 'texts[i]?.[chunk] -> texts[i][chunk]',
    reason: inRange,
  },
  {
    file: 'src/engine/worker/networks/guidance-embedding.ts',
    change: 'i = 0 -> i = (-1)',
    reason: `${lost} Writes before its start are ignored too; the cosine is overwritten.`,
  },
];
