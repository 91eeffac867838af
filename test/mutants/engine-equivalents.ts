import type { Equivalent } from './equivalents.js';

const inRange = 'The index is within the array: the fallback is there for the compiler.';
const lost = 'A typed array loses what is written beyond its end.';

/** Those of what the engine starts with. */
export const engineEquivalents: readonly Equivalent[] = [
  {
    file: 'src/engine/worker/networks/onnx-part.ts',
    change: /^new (?:Float32|Uint16)Array\(0\) -> new \w+\(1\)$/,
    reason: 'It grows to what is asked for.',
  },
  {
    file: 'src/engine/worker/calibration/cache.ts',
    change: /^readFile\(.*, 'utf8'\) -> /,
    reason: 'What takes a text takes bytes of UTF-8 for one as well.',
  },
  {
    file: 'src/engine/costs.ts',
    change: 'point.rows >= rows -> point.rows > rows',
    reason: 'At a number of rows that was measured both sides give what was measured.',
  },
  {
    file: 'src/engine/worker/calibration/export-notes.ts',
    change: /^notes\.push\(`\$\{file\} takes (?:1 row|exactly) .* -> notes\.unshift/,
    reason: 'It is the first note.',
  },
  {
    file: 'src/engine/worker/calibration/measure.ts',
    change:
      /^(?:isTime\(pictureMs\) && Array\.isArray\(costs\) -> \(isTime|one !== undefined -> true|one !== undefined && .* -> \(now < )/,
    reason: 'What cannot be looked through is no measurement either, and one has a time for a row.',
  },
  {
    file: 'src/engine/worker/main.ts',
    change: /^new BufferPool\(8\) -> /,
    reason: 'How many buffers are kept changes what a frame costs, and nothing else.',
  },
  {
    file: 'src/engine/worker/main.ts',
    change: /^frameMs = 0 -> /,
    reason: 'Until frames were made it does not matter to any how many changes are made at a time.',
  },
  {
    file: 'src/engine/worker/main.ts',
    change: /^this\.#messages\.length > 0 -> (?:false|this\.#messages\.length > 1)$/,
    reason: 'No message comes between taking those that are there and waiting for others.',
  },
  {
    file: 'src/engine/worker/main.ts',
    change:
      /^(?:precision = 'auto' -> precision = ''|emptyNegative\?\.embedding \?\? null -> \(emptyNegative)/,
    reason: 'It is only asked whether it is another value than this.',
  },
  {
    file: 'src/engine/worker/networks/text-encoders.ts',
    change: 'texts[i]?.[chunk] -> texts[i][chunk]',
    reason: inRange,
  },
  {
    file: 'src/engine/worker/conditioning/prompts.ts',
    change: 'pooled.length > 0 -> pooled.length > 1',
    reason: 'Of several prompts all have such an embedding, or none has.',
  },
  {
    file: 'src/engine/worker/networks/guidance-embedding.ts',
    change: 'i = 0 -> i = (-1)',
    reason: `${lost} So is what is written before it; the cosine is written over.`,
  },
];
