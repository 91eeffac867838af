import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { ModelRuntime } from '../../src/engine/worker/networks/runtime.js';
import { decodeImage } from '../../src/image/decode.js';
import type { Image } from '../../src/image/image.js';
import { readModelFolder } from '../../src/model/folder.js';
import { NearestNames } from '../../src/model/prompt-classifier.js';
import { meanDifference, tower } from '../image/pictures.js';
import { ModelCopy } from '../model/model-copy.js';
import { runMillrace, startMillrace } from '../support/command.js';
import { embeddedModel } from '../support/engine.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
await writeFile(at('tower.jpg'), tower);

const run = (...args: string[]) => runMillrace(['invert', ...args]);

const picture = async (path: string): Promise<Image> =>
  decodeImage(await readFile(path), { maxPixels: 1 << 24 });

describe('millrace invert', () => {
  it('leads back to the picture under its own prompt, and to another under another', async () => {
    const common = [at('tower.jpg'), '-p', 'photo', '--steps', '10', '--json'];
    const same = await run(...common, '-o', at('same.png'));
    assert.equal(same.code, 0, same.stderr);
    const figures = JSON.parse(same.stdout) as { calls: number; latent_deviation: number };
    assert.equal(figures.calls, 18);
    assert.ok(figures.latent_deviation < 1e-4, `deviates by ${figures.latent_deviation}`);
    const edited = await run(
      ...common,
      '-o',
      at('edited.png'),
      '-e',
      'oil painting',
      '--guidance-scale',
      '2',
    );
    assert.equal(edited.code, 0, edited.stderr);
    const [before, after] = [await picture(at('same.png')), await picture(at('edited.png'))];
    assert.ok(meanDifference(before, after) > 1, 'the edit shows');
  });

  it('draws a prompt that names no style by the name of the nearest', async () => {
    const folder = await readModelFolder(embeddedModel);
    await using runtime = await ModelRuntime.load(folder, { threads: 1 });
    const unknown = 'batman';
    const { encoder_hidden_states: states } = await runtime.embed(unknown);
    const name = new NearestNames(folder.promptGroups ?? []).of(unknown, states);
    assert.notEqual(name, '');
    for (const [edit, file] of [
      [unknown, 'unknown.png'],
      [name, 'named.png'],
    ] as const) {
      const { code, stderr } = await run(
        at('tower.jpg'),
        '-p',
        'photo',
        '--steps',
        '3',
        '-e',
        edit,
        '-o',
        at(file),
      );
      assert.equal(code, 0, stderr);
    }
    assert.deepEqual(await picture(at('unknown.png')), await picture(at('named.png')));
  });

  it('stops between two calls when interrupted, and exits with 130', async () => {
    const { child, ended } = startMillrace([
      'invert',
      at('tower.jpg'),
      '-p',
      'photo',
      '-o',
      at('cut.png'),
      '--steps',
      '1000',
    ]);
    // By then it loads the networks, or calls them.
    await setTimeout(3000);
    child.kill('SIGINT');
    const { code, signal } = await ended;
    // A machine under load may need longer for one call than the command waits.
    assert.ok(code === 130 || signal === 'SIGINT', `${code} ${signal}`);
  });

  it('refuses what it cannot do, and says why', async () => {
    const refused = async (message: RegExp, ...args: string[]): Promise<void> => {
      const { code, stderr } = await run(at('tower.jpg'), '-p', 'photo', '-o', at('x.png'), ...args);
      assert.equal(code, 1);
      assert.match(stderr, message);
    };
    await refused(/--gamma must be above 0, up to 1, not 0\n$/, '--gamma', '0');
    await refused(/--steps must be a whole number from 2 to 1000, not 1\n$/, '--steps', '1');
    await refused(/--guidance-scale must be a number, not high\n$/, '--guidance-scale', 'high');
    await using flow = await ModelCopy.create();
    await flow.edit('scheduler/scheduler_config.json', { prediction_type: 'flow' });
    await refused(/cannot be inverted, .*; its solvers are FlowMatchEuler/, '--model', flow.folder);
    await writeFile(at('taken.png'), tower);
    await refused(/taken\.png exists; add --overwrite to replace it\n$/, '-o', at('taken.png'));
  });
});
