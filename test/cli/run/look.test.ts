import { formatLooks } from '@millrace/protocol';
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
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
});
