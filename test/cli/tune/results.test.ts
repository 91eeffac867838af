import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { defaultParameters } from '@millrace/protocol';
import { candidateOf } from '../../../src/cli/tune/candidates.js';
import { Measurements, subjectOf } from '../../../src/cli/tune/measurements.js';
import { plotSvg, plotText } from '../../../src/cli/tune/plot.js';
import { prepareDefaults } from '../../../src/cli/tune/write-defaults.js';
import { readModelFolder } from '../../../src/model/folder.js';
import { ModelCopy } from '../../model/model-copy.js';
import { tinyModel } from '../../support/engine.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const candidate = {
  ...candidateOf(defaultParameters({})),
  solver: 'BDIAScheduler',
  t_index_list: [25],
} as const;

describe('what millrace tune keeps', () => {
  it('asks once for a measurement, also after an interruption', async () => {
    let asked = 0;
    const measure = async (): Promise<number> => Promise.resolve(++asked);
    {
      await using first = await Measurements.open<number>(at('kept.json'), 'subject');
      assert.deepEqual([await first.get('a', measure), await first.get('a', measure)], [1, 1]);
      assert.equal(await first.get('b', measure), 2);
    }
    await using again = await Measurements.open(at('kept.json'), 'subject');
    assert.equal(again.size, 2);
    assert.equal(await again.get('b', measure), 2);
    assert.equal((await Measurements.open(at('kept.json'), 'another model')).size, 0);
    await writeFile(at('broken.json'), '{"subject": "subj');
    assert.equal((await Measurements.open(at('broken.json'), 'subject')).size, 0);
  });

  it('is not that of another export in the same place', async () => {
    await using copy = await ModelCopy.create(tinyModel);
    // Not the link to the graph that other tests use.
    await copy.remove('unet/model.onnx');
    await copyFile(join(tinyModel, 'unet/model.onnx'), join(copy.folder, 'unet/model.onnx'));
    const folder = await readModelFolder(copy.folder);
    const parameters = defaultParameters(folder);
    const job = { model: copy.folder, threads: 1, parameters, reference: candidate, pictures: [] };
    const subject = await subjectOf(folder, job);
    assert.equal(await subjectOf(folder, job), subject);
    assert.notEqual(await subjectOf(folder, job, 60), subject);
    const otherScheduler = { ...folder.scheduler, statistics: { l: Float64Array.of(1) } };
    assert.notEqual(await subjectOf({ ...folder, scheduler: otherScheduler }, job), subject);
    const promptGroups = [{ kind: 'style', names: ['oil'], weight: [[0], [1]], bias: [0, 0] }] as const;
    assert.notEqual(await subjectOf({ ...folder, promptGroups }, job), subject);
    await utimes(folder.layout.unet.graph.file, 0, 0);
    assert.notEqual(await subjectOf(folder, job), subject);
  });

  it('writes the options that the solver has into millrace.json, and keeps the rest', async () => {
    const before = { description: 'mine', defaults: { prompt: 'cat', bdia_gamma: 0.5 }, styles: [] };
    await writeFile(at('millrace.json'), JSON.stringify(before));
    const { changes, write } = await prepareDefaults(at('millrace.json'), candidate);
    assert.deepEqual(await readFile(at('millrace.json'), 'utf8'), JSON.stringify(before), 'not yet');
    await write();
    const written = JSON.parse(await readFile(at('millrace.json'), 'utf8')) as typeof before;
    const times = { num_inference_steps: 50, t_index_list: [25] };
    assert.deepEqual(written, {
      ...before,
      defaults: {
        ...before.defaults,
        solver: 'BDIAScheduler',
        solver_schedule: null,
        timestep_spacing: null,
        ...times,
      },
    });
    assert.deepEqual(
      changes.map(({ name }) => name),
      ['solver', 'solver_schedule', 'timestep_spacing', 'num_inference_steps', 't_index_list'],
    );
  });

  it('writes the solvers of steps with the options that one of them has, and the one for all steps', async () => {
    const solver_schedule = ['DDIMScheduler', 'GHVBScheduler'] as const;
    const mixed = { ...candidate, solver_schedule, t_index_list: [25, 40] };
    const { write } = await prepareDefaults(at('mixed.json'), mixed);
    await write();
    const written = JSON.parse(await readFile(at('mixed.json'), 'utf8')) as { readonly defaults: object };
    assert.deepEqual(written.defaults, {
      solver: 'BDIAScheduler',
      solver_schedule,
      timestep_spacing: null,
      solver_order: 2,
      use_karras_sigmas: false,
      momentum_beta: 1,
      eta: 0,
      num_inference_steps: 50,
      t_index_list: [25, 40],
    });
    // A later search with another result replaces it.
    await (await prepareDefaults(at('mixed.json'), candidate)).write();
    const again = JSON.parse(await readFile(at('mixed.json'), 'utf8')) as typeof written;
    assert.ok('solver_schedule' in again.defaults && again.defaults.solver_schedule === null);
  });
});

describe('the plot of millrace tune', () => {
  const curves = [
    { name: 'a & b', points: [1, 2, 4].map((calls) => ({ calls, error: 1 / calls })) },
    { name: 'c', points: [{ calls: 2, error: 0.3 }] },
  ];

  it('falls with the error, to the right', () => {
    const rows = plotText(curves).split('\n');
    const places = rows
      .slice(0, 12)
      .flatMap((row, y) => Array.from(row.slice(10)).flatMap((mark, x) => (mark === 'o' ? [{ x, y }] : [])));
    assert.equal(places.length, 3);
    const left = places.toSorted((p, q) => p.x - q.x).map(({ y }) => y);
    assert.deepEqual(left, [0, 6, 11]);
    assert.match(rows[0] ?? '', /^ *1\.0000/);
    assert.match(rows.at(-1) ?? '', /x c$/);
  });

  it('is an SVG too, with a point for each measurement', () => {
    const svg = plotSvg(curves, 'title');
    assert.equal(svg.match(/<circle/g)?.length, 4);
    assert.match(svg, /a &amp; b/);
  });

  it('stands for a single error as well', () => {
    assert.match(plotText([{ name: 'one', points: [{ calls: 1, error: 0.5 }] }]), /o/);
  });
});
