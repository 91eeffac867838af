import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { repositoryRoot } from '../../support/reference.js';

const worker = join(repositoryRoot, 'src/engine/worker');

/** Returns the lines of a folder that read or write single values of pictures: `FILE: LINE`. */
function linesWithPixels(folder: string): readonly string[] {
  const files = readdirSync(join(worker, folder)).filter((name) => name.endsWith('.ts'));
  return files.flatMap((name) => {
    const lines = readFileSync(join(worker, folder, name), 'utf8').split('\n');
    const found = lines.filter((line) =>
      /\b(data|pixels|planes|picture|image|bytes)\)?\[(?!Symbol|\])/.test(line),
    );
    return found.map((line) => `${name}: ${line.trim()}`);
  });
}

describe('the inference thread', () => {
  it('leaves the values of pictures to graphs, before and after all networks', () => {
    for (const folder of ['networks', 'conditioning', 'planning', 'devices']) {
      assert.deepEqual(linesWithPixels(folder), [], folder);
    }
  });

  it('reads single values of pictures in masks alone, as whole numbers', () => {
    assert.deepEqual(linesWithPixels('streams'), [
      'stream-pictures.ts: const value = data[3 * i] ?? 0;',
      'stream-pictures.ts: sum += data[start + Math.min(x, width - 1)] ?? 0;',
    ]);
  });
});
