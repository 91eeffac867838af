import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, it, mock } from 'node:test';
import {
  CalibrationFile,
  gpuModels,
  type MeasurementFacts,
} from '../../../../src/engine/worker/calibration/cache.js';

const root = await mkdtemp(join(os.tmpdir(), 'millrace-kept-'));
after(() => rm(root, { recursive: true }));
afterEach(() => {
  mock.restoreAll();
  syncBuiltinESMExports();
});

const file = join(root, 'network');
await writeFile(file, 'weights');
const facts: MeasurementFacts = { file, shape: [4, 8, 8], device: { provider: 'cpu', index: 0 }, threads: 2 };
const isText = (value: unknown): value is string => typeof value === 'string';
const isAny = (value: unknown): value is unknown => value !== undefined;
let folders = 0;

interface Kept<Value> {
  readonly kept: CalibrationFile<Value>;
  readonly directory: string;
  readonly notes: string[];
}

async function keep<Value>(
  isValue: (value: unknown) => value is Value,
  directory = join(root, `${folders++}`, 'cache'),
): Promise<Kept<Value>> {
  const notes: string[] = [];
  const place = { directory, onNote: (note: string) => notes.push(note) };
  return { kept: await CalibrationFile.for(place, 'kind', facts, isValue), directory, notes };
}

/** Returns the name of the file in which a measurement of this is kept. */
async function nameOf(changes: Partial<MeasurementFacts> = {}): Promise<string> {
  const directory = join(root, `${folders++}`);
  const place = { directory, onNote: () => {} };
  await (await CalibrationFile.for(place, 'kind', { ...facts, ...changes }, isAny)).write(1);
  const [name] = await readdir(directory);
  assert.match(name, /^kind-[\da-f]{16}\.json$/);
  return name;
}

describe('a measurement', () => {
  it('is kept in a folder that is created for it, and read again', async () => {
    const { kept, directory, notes } = await keep(isText);
    assert.equal(await kept.read(), null);
    await kept.write('a value');
    assert.equal((await kept.read())?.value, 'a value');
    const again = await keep(isText, directory);
    const savedAt = new Date('2026-01-02T03:04:05Z');
    const [name] = await readdir(directory);
    await utimes(join(directory, name), savedAt, savedAt);
    assert.deepEqual(await again.kept.read(), { value: 'a value', savedAt });
    assert.deepEqual([...notes, ...again.notes], []);
  });

  it('is read only if its form is valid, and otherwise ignored without a note', async () => {
    const { kept, directory, notes } = await keep(isText);
    await kept.write('a value');
    const path = join(directory, (await readdir(directory))[0]);
    assert.equal(await readFile(path, 'utf8'), '"a value"');
    for (const content of ['3', '{', '', 'null']) {
      await writeFile(path, content);
      assert.equal(await kept.read(), null, content);
    }
    assert.deepEqual(notes, []);
  });

  it('has a separate file for each set of things that it depends on', async () => {
    const names = [
      await nameOf(),
      await nameOf({ shape: [4, 8, 16] }),
      await nameOf({ threads: 3 }),
      await nameOf({ device: { provider: 'cuda', index: 0 } }),
      await nameOf({ device: { provider: 'cuda', index: 1 } }),
    ];
    const other = join(root, 'other');
    await writeFile(other, 'weights');
    names.push(await nameOf({ file: other }));
    await writeFile(file, 'more weights');
    await utimes(file, 1000, 1000);
    names.push(await nameOf());
    await utimes(file, 1000, 2000);
    names.push(await nameOf());
    assert.equal(new Set(names).size, names.length);
    assert.equal(await nameOf(), names.at(-1));
  });

  it('has a separate file for each model of the first CPU and each number of CPUs', async () => {
    const named = async (...models: readonly string[]): Promise<string> => {
      const own = models.map((model) => ({ model }));
      mock.method(os, 'cpus', () => own);
      syncBuiltinESMExports();
      const name = await nameOf();
      mock.restoreAll();
      return name;
    };
    const names = [await named('a', 'b'), await named('c', 'b'), await named('a'), await named()];
    assert.equal(new Set(names).size, 4);
    assert.equal(await named('a', 'c'), names[0]);
  });
});

describe('a folder in which nothing can be saved', () => {
  const advice = 'let the server write to that folder, or choose another with --cache-directory';

  it('is noted with the reason, when reading and when writing', async () => {
    const directory = join(file, 'folder');
    const { kept, notes } = await keep(isText, directory);
    const note = `measurements cannot be saved in ${directory} (ENOTDIR), so each start measures again; ${advice}`;
    assert.equal(await kept.read(), null);
    assert.deepEqual(notes, [note]);
    await kept.write('a value');
    assert.deepEqual(notes, [note, note]);
  });

  it('is noted also if the error has no code', async () => {
    const { kept, directory, notes } = await keep(isAny);
    await kept.write(1n);
    assert.equal(notes.length, 1);
    assert.match(notes[0], /^measurements cannot be saved in .* \(TypeError: .*BigInt.*\), so each/);
    assert.ok(notes[0].includes(directory));
  });
});

it('GPUs are identified by the models that the driver names', async () => {
  const folder = join(root, 'gpus');
  assert.deepEqual(await gpuModels(folder), []);
  for (const name of ['0000:01', '0000:02', '0000:03']) await mkdir(join(folder, name), { recursive: true });
  await writeFile(join(folder, '0000:01', 'information'), 'Model: \t\t NVIDIA H200\nIRQ:   \t 18\n');
  await writeFile(join(folder, '0000:02', 'information'), 'IRQ:   \t 18\nVideo BIOS: \t 9\n');
  assert.deepEqual((await gpuModels(folder)).toSorted(), ['', '', 'NVIDIA H200']);
});
