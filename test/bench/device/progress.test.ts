import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Progress } from './progress.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-progress-'));
after(() => rm(folder, { recursive: true }));

const facts = { benchmark: 'device', device: 'cpu' };
const usual = { minutes: 1, isFresh: false };
let files = 0;
const newFile = (): string => join(folder, `results-${files++}.json`);

/** A tool that notes what was measured with it. */
class Tool implements AsyncDisposable {
  readonly measured: string[] = [];
  opened = 0;
  closed = 0;

  series(names: readonly string[], failing = ''): Parameters<Progress['measure']>[0] {
    return {
      items: new Map(names.map((name) => [name, name])),
      open: () => {
        this.opened += 1;
        return Promise.resolve(this);
      },
      measure: (_, name) => {
        if (name === failing) return Promise.reject(new Error('cut'));
        this.measured.push(String(name));
        return Promise.resolve({ ms: this.measured.length });
      },
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.closed += 1;
    return Promise.resolve();
  }
}

describe('the results of a run', () => {
  test('are in the file after each measurement, and are not measured again after a cut', async () => {
    const file = newFile();
    const tool = new Tool();
    const first = await Progress.open(file, facts, usual);
    await assert.rejects(first.measure(tool.series(['a', 'b', 'c'], 'b')), /cut/);
    const written = JSON.parse(await readFile(file, 'utf8')) as unknown;
    assert.deepEqual(written, { facts, isComplete: false, results: { a: { ms: 1 } } });

    const second = await Progress.open(file, facts, usual);
    assert.equal(second.kept, 1);
    const results = await second.measure(tool.series(['a', 'b', 'c']));
    assert.deepEqual(results, [{ ms: 1 }, { ms: 2 }, { ms: 3 }]);
    assert.deepEqual(tool.measured, ['a', 'b', 'c']);
    assert.deepEqual([tool.opened, tool.closed], [2, 2]);
    // What is known needs no tool.
    await second.measure(tool.series(['c', 'a']));
    assert.equal(tool.opened, 2);
  });

  test('of a complete run, or of another one, are not continued', async () => {
    const file = newFile();
    const run = async (about: Readonly<Record<string, string>>, isFresh: boolean): Promise<number> => {
      const progress = await Progress.open(file, about, { minutes: 1, isFresh });
      await progress.measure(new Tool().series(['a']));
      await progress.finish();
      return progress.kept;
    };
    assert.equal(await run(facts, false), 0);
    assert.equal(await run(facts, false), 0, 'the run before was complete');
    const cut = await Progress.open(file, facts, usual);
    await cut.measure(new Tool().series(['b']));
    assert.equal((await Progress.open(file, { ...facts, device: 'cuda:0' }, usual)).kept, 0);
    assert.equal((await Progress.open(file, facts, { minutes: 1, isFresh: true })).kept, 0);
    assert.equal((await Progress.open(file, facts, usual)).kept, 1);
  });

  test('that cannot begin in time are left to the next run', async () => {
    const file = newFile();
    const tool = new Tool();
    const late = await Progress.open(file, facts, { minutes: 0, isFresh: false });
    assert.deepEqual(await late.measure(tool.series(['a', 'b'])), [null, null]);
    assert.deepEqual([late.left, tool.opened], [2, 0]);
    await late.finish();
    const next = await Progress.open(file, facts, usual);
    assert.deepEqual(await next.measure(tool.series(['a', 'b'])), [{ ms: 1 }, { ms: 2 }]);
    assert.equal(next.left, 0);
  });

  test('start anew where the file is damaged', async () => {
    const file = newFile();
    await writeFile(file, '{"facts":');
    assert.equal((await Progress.open(file, facts, usual)).kept, 0);
  });
});
