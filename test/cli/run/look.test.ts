import { formatLooks } from '@millrace/protocol';
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { runMillrace } from '../../support/command.js';
import { testImage, tinyModel } from '../../support/engine.js';
import { encodeImage } from '../../../src/image/encode.js';
import { readLook } from '../../../src/cli/run/look.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(folder, { recursive: true }));
const one = join(folder, 'one.json');
const two = join(folder, 'two.json');
const oil = { name: 'Oil', parameters: { prompt: 'oil painting', steps: 2, transition_seconds: 3 } };
const ink = { name: 'Ink', parameters: { prompt: 'ink line art' } };
await writeFile(one, formatLooks([oil]));
await writeFile(two, formatLooks([oil, ink]));
await writeFile(join(folder, 'none.json'), formatLooks([]));
await writeFile(join(folder, 'bad.json'), '{"version":9,"looks":[]}');

describe('the look of millrace run', () => {
  it('is the only one of a file, or the one that is named, without what is for live streams', async () => {
    assert.deepEqual(await readLook(one), { prompt: 'oil painting', steps: 2 });
    assert.deepEqual(await readLook(`${two}#Ink`), { prompt: 'ink line art' });
  });

  it('is refused by the name of its file, with those that there are', async () => {
    await assert.rejects(readLook(two), {
      name: 'RunError',
      message: `${two} has 2 looks: choose one of "Oil", "Ink", as in --look ${two}#Oil`,
    });
    await assert.rejects(readLook(`${two}#Pen`), {
      message: /has no look "Pen": choose one of "Oil", "Ink"/,
    });
    await assert.rejects(readLook(join(folder, 'none.json')), { message: /none\.json has no looks/ });
    await assert.rejects(readLook(join(folder, 'bad.json')), { message: /bad\.json: .* must be 1, not 9/ });
    await assert.rejects(readLook(join(folder, 'gone.json')), { message: /gone\.json cannot be read/ });
  });

  it('is what is painted, with the options that are given too', async () => {
    const input = join(folder, 'in.png');
    await writeFile(input, await encodeImage(testImage(1, { width: 64, height: 64 }), 'png', 1));
    const paint = async (name: string, ...args: string[]): Promise<Buffer> => {
      const output = join(folder, name);
      const { code, stderr } = await runMillrace(['run', input, '-o', output, '--model', tinyModel, ...args]);
      assert.equal(code, 0, stderr);
      return readFile(output);
    };
    const byLook = await paint('a.png', '--look', one);
    assert.deepEqual(byLook, await paint('b.png', '--prompt', 'oil painting', '--steps', '2'));
    assert.notDeepEqual(byLook, await paint('c.png', '--look', one, '--steps', '1'));
    const { code, stderr } = await runMillrace(['run', input, '-o', join(folder, 'd.png')]);
    assert.equal(code, 1);
    assert.match(stderr, /--prompt is missing: add it/);
  });
});
