import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { solversFor } from '../../../src/diffusion/solvers/create.js';
import { readModelFolder } from '../../../src/model/folder.js';
import { tower } from '../../image/pictures.js';
import { ModelCopy } from '../../model/model-copy.js';
import { runMillrace, startMillrace } from '../../support/command.js';
import { drawOnce, startEngine, tinyModel, tinyParameters } from '../../support/engine.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(folder, { recursive: true }));
const pictures = join(folder, 'pictures');
await mkdir(pictures);
for (const name of ['1.jpg', '2.jpg']) await writeFile(join(pictures, name), tower);

const solver = 'DPMSolverV3Scheduler';
const size = { width: 64, height: 64 };

const run = (...args: string[]) => runMillrace(['tune', '--statistics', ...args]);

/** A copy of the tiny model with these defaults. */
async function copyOf(defaults: Readonly<Record<string, unknown>> = {}): Promise<ModelCopy> {
  const copy = await ModelCopy.create(tinyModel);
  await copy.write('millrace.json', JSON.stringify({ defaults: { ...size, ...defaults } }));
  return copy;
}

/** A short schedule needs few intervals. */
const short = { num_inference_steps: 8 };

const readJson = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));

describe('millrace tune --statistics', () => {
  it('measures a model, which then offers the solver, and is nearer with them than without', async () => {
    await using copy = await copyOf();
    const output = join(folder, 'results');
    const args = ['--model', copy.folder, '-o', output, '--pictures', pictures];
    const few = ['--samples', '1', '--intervals', '93', '--json'];
    const dry = await run(...args, ...few, '--dry-run');
    assert.equal(dry.code, 0, dry.stderr);
    assert.match(dry.stderr, /^sample 1\/1 measured$/m);
    const given = join(copy.folder, 'dpm_solver_v3.json');
    assert.ok(!existsSync(given), 'a dry run leaves the model as it is');

    const again = await run(...args, ...few);
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stderr, /^goes on after sample 1 of /m);
    assert.doesNotMatch(again.stderr, /measured$/m, 'nothing is measured twice');
    const { errors, written, intervals } = JSON.parse(again.stdout) as {
      readonly errors: readonly { readonly name: string; readonly calls: number; readonly error: number }[];
      readonly written: string;
      readonly intervals: number;
    };
    assert.deepEqual([written, intervals], [given, 93]);
    const file = (await readJson(given)) as {
      readonly l: readonly number[];
      readonly guidance_scale: number;
    };
    assert.deepEqual(file, await readJson(join(output, 'dpm_solver_v3.json')));
    assert.deepEqual([file.l.length, file.guidance_scale], [94, 1]);
    const errorOf = (wanted: string, calls: number): number =>
      errors.find((row) => row.name === wanted && row.calls === calls)?.error ?? NaN;
    // One call with statistics is a fitted linear map.
    assert.ok(errorOf(solver, 1) < errorOf('DPMSolverMultistepScheduler', 1), again.stdout);

    const model = await readModelFolder(copy.folder);
    assert.ok(solversFor(model.scheduler).includes(solver));
    await using engine = await startEngine(copy.folder);
    const picture = await drawOnce(engine.engine, tinyParameters({ ...size, solver, cfg_type: 'none' }));
    assert.ok(picture.some((byte) => byte > 0));
  });

  it('measures with guidance if asked, and keeps that apart', async () => {
    await using copy = await copyOf(short);
    const output = join(folder, 'guided');
    const few = ['--samples', '1', '--intervals', '20', '-o', output, '--pictures', pictures];
    const plain = await run('--model', copy.folder, ...few);
    assert.equal(plain.code, 0, plain.stderr);
    assert.match(plain.stdout, /sessions can use DPMSolverV3Scheduler\n$/);
    const before = await readJson(join(output, 'dpm_solver_v3.json'));
    const more = await run('--model', copy.folder, ...few, '--samples', '2', '--dry-run');
    assert.match(more.stderr, /^goes on after sample 1 of .*\nsample 2\/2 measured$/m);
    const guided = await run('--model', copy.folder, ...few, '--guidance-scale', '3');
    assert.equal(guided.code, 0, guided.stderr);
    assert.doesNotMatch(guided.stderr, /goes on after/);
    const after = (await readJson(join(output, 'dpm_solver_v3.json'))) as { guidance_scale: number };
    assert.equal(after.guidance_scale, 3);
    assert.notDeepEqual({ ...after, guidance_scale: 1 }, before);
  });

  it('keeps the samples of an interrupted measurement', async () => {
    const output = join(folder, 'interrupted');
    const few = ['--samples', '50', '--intervals', '20', '-o', output, '--pictures', pictures];
    await using copy = await copyOf(short);
    const { child, ended } = startMillrace(['tune', '--statistics', '--model', copy.folder, ...few]);
    while (!existsSync(join(output, 'statistics.json'))) await setTimeout(100);
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    assert.equal(code, 130, stderr);
    assert.match(stderr, /interrupted; what was measured is kept/);
    const { values } = (await readJson(join(output, 'statistics.json'))) as { readonly values: object };
    assert.ok(Object.keys(values).length > 0);
  });

  it('refuses what it cannot do, and says why', async () => {
    const refused = async (message: RegExp, model: string, ...args: string[]): Promise<void> => {
      const { code, stderr } = await run('--model', model, '-o', join(folder, 'x'), ...args);
      assert.equal(code, 1);
      assert.match(stderr, message);
    };
    await refused(/--budget and --statistics are two measurements/, tinyModel, '-b', '2');
    await refused(/--samples must be a whole number from 1 to 4096, not 0\n$/, tinyModel, '--samples', '0');
    await refused(/--intervals must be a whole number from 2 to 2000, not x/, tinyModel, '--intervals', 'x');
    await refused(
      /--guidance-scale must be from 1 \(none\) to 20, not 0/,
      tinyModel,
      '--guidance-scale',
      '0',
    );
    await refused(
      /--intervals must be more than 9 for schedules of 50 steps\n$/,
      tinyModel,
      '--intervals',
      '9',
    );
    await using flow = await copyOf();
    await flow.edit('scheduler/scheduler_config.json', { prediction_type: 'flow' });
    await refused(/cannot use DPMSolverV3Scheduler, which .*; its solvers are FlowMatch/, flow.folder);
    const without = await runMillrace(['tune', '-b', '2', '--samples', '3']);
    assert.match(without.stderr, /--samples is for --statistics\n$/);
  });
});
