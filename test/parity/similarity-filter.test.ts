import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimilarityFilter, skipProbability } from '../../src/diffusion/similarity-filter.js';
import { readReferenceJson, referenceCases } from '../support/reference.js';
import { readSafeTensors } from '../support/safetensors.js';

interface FilterCase {
  readonly threshold: number;
  readonly max_skip_frame: number;
  readonly frames: number;
}

interface FilterFile {
  readonly cases: Readonly<Record<string, FilterCase>>;
  readonly tolerances: { readonly cosine: number; readonly skip_probability: number };
}

function isFilterFile(info: unknown): info is FilterFile {
  return typeof info === 'object' && info !== null && 'cases' in info && 'tolerances' in info;
}

for (const reference of referenceCases('goldens')) {
  const info = await readReferenceJson(reference.json);
  if (!isFilterFile(info)) continue;
  const { cases, tolerances } = info;
  const tensors = await readSafeTensors(reference.tensors);
  for (const [name, { threshold, max_skip_frame, frames }] of Object.entries(cases)) {
    test(`${reference.name}/${name}`, () => {
      const wanted = (field: string): readonly number[] => tensors.numbers(`${name}.${field}`);
      const pixels = Float32Array.from(wanted('frames'));
      const length = pixels.length / frames;
      let now = 0;
      const filter = new SimilarityFilter(() => wanted('draw')[now], 0);
      for (now = 0; now < frames; now++) {
        const frame = pixels.subarray(now * length, (now + 1) * length);
        const cosine = filter.similarity([frame]);
        if (cosine !== null) {
          assert.ok(Math.abs(cosine - wanted('cosine')[now]) <= tolerances.cosine, `cosine of frame ${now}`);
          const probability = skipProbability(cosine, threshold);
          const error = Math.abs(probability - wanted('skip_probability')[now]);
          assert.ok(error <= tolerances.skip_probability, `skip probability of frame ${now}`);
        }
        const passes = !filter.isSimilar([frame], threshold, max_skip_frame);
        assert.equal(passes ? 1 : 0, wanted('decision')[now], `decision on frame ${now}`);
        if (passes) filter.accept([frame]);
      }
    });
  }
}
