import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { defaultParameters } from '@millrace/protocol';
import { readModelFolder } from '../../src/model/folder.js';
import { tower } from '../image/pictures.js';
import { ModelCopy } from '../model/model-copy.js';
import { runMillrace, startMillrace } from '../support/command.js';
import { drawOnce, startEngine, tinyModel } from '../support/engine.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(folder, { recursive: true }));
const pictures = join(folder, 'pictures');
await mkdir(pictures);
for (const name of ['1.jpg', '2.jpg']) await writeFile(join(pictures, name), tower);

const run = (...args: string[]) => runMillrace(['tune', ...args]);

describe('millrace tune', () => {
  it('finds what comes nearer than the defaults, writes it, and the model starts with it', async () => {
    await using copy = await ModelCopy.create(tinyModel);
    // Far from the reference.
    const own = { solver: 'LCMScheduler', steps: 2, strength: 0.6, width: 64, height: 64 };
    await copy.write('millrace.json', JSON.stringify({ defaults: own }));
    const output = join(folder, 'results');
    const args = ['--model', copy.folder, '-b', '2', '-o', output, '--pictures', pictures];
    const before = (await readModelFolder(copy.folder)).defaults;
    const dry = await run(...args, '--dry-run');
    assert.equal(dry.code, 0, dry.stderr);
    assert.match(dry.stdout, /left as it is \(--dry-run\)/);
    // The plot with its axis and legend, and the table.
    assert.match(
      dry.stdout,
      /\n +1 +2 +4 +8\n +o LCMScheduler at even times \(defaults\)\n[^]*\n +\+ tuned(, a solver for each step)?\n/,
    );
    assert.match(dry.stdout, /\ndefaults as they are +2 calls +\d\.\d{4}\n[^]*\ntuned +2 calls +\d\.\d{4}\n/);
    // If steps have different solvers, the table says what one for all of them reaches.
    const isMixed = /"solver_schedule":\[/.test(dry.stdout);
    assert.equal(/\ntuned, one solver for all steps +2 calls +\d\.\d{4}\n/.test(dry.stdout), isMixed);
    assert.deepEqual((await readModelFolder(copy.folder)).defaults, before);

    const again = await run(...args);
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stderr, /goes on with \d+ measurements/);
    const result = JSON.parse(await readFile(join(output, 'tune.json'), 'utf8')) as {
      readonly parameters: object;
      readonly usual: { readonly error: number };
      readonly tuned: { readonly calls: number; readonly error: number };
      readonly uniform: { readonly calls: number } | null;
    };
    assert.equal(result.tuned.calls, 2);
    assert.deepEqual(result.uniform?.calls, isMixed ? 2 : undefined);
    assert.ok(result.tuned.error < result.usual.error, JSON.stringify(result));
    const { defaults } = await readModelFolder(copy.folder);
    assert.deepEqual(defaults, { ...before, ...result.parameters });
    assert.match(await readFile(join(output, 'tune.svg'), 'utf8'), /^<svg/);
    await using engine = await startEngine(copy.folder);
    const parameters = defaultParameters(await readModelFolder(copy.folder));
    assert.ok((await drawOnce(engine.engine, parameters)).some((byte) => byte > 0));
  });

  it('keeps what was measured when it is interrupted', async () => {
    const output = join(folder, 'interrupted');
    const args = ['tune', '--model', tinyModel, '-b', '4', '-o', output, '--pictures', pictures];
    const { child, ended } = startMillrace(args);
    // The first stage has begun once there is a file of measurements.
    while (!existsSync(join(output, 'measurements.json'))) await setTimeout(100);
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    assert.equal(code, 130, stderr);
    assert.match(stderr, /interrupted; what was measured is kept/);
    const { values } = JSON.parse(await readFile(join(output, 'measurements.json'), 'utf8')) as {
      readonly values: object;
    };
    assert.ok(Object.keys(values).length > 0);
  });

  it('refuses what it cannot do, and says why', async () => {
    const refused = async (message: RegExp, ...args: string[]): Promise<void> => {
      const { code, stderr } = await run('--model', tinyModel, '-o', join(folder, 'x'), ...args);
      assert.equal(code, 1);
      assert.match(stderr, message);
    };
    await refused(/--budget must be 1, 2, 4 or 8, not 3 \(or give --statistics\)\n$/, '-b', '3');
    await refused(/--budget must be 1, 2, 4 or 8, not absent/);
    await refused(/--strength must be above 0, up to 1, not 2\n$/, '-b', '1', '--strength', '2');
    await refused(/none\.txt cannot be read; --prompts names/, '-b', '1', '--prompts', 'none.txt');
    const lone = join(folder, 'lone');
    await mkdir(lone);
    await writeFile(join(lone, '1.jpg'), tower);
    await refused(/lone must hold at least 2 pictures/, '-b', '1', '--pictures', lone);
  });
});
