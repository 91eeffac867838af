import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readStyleImage } from '../../../src/cli/run/style-image.js';
import { decodeImage } from '../../../src/image/decode.js';
import { encodeImage } from '../../../src/image/encode.js';
import { runMillrace } from '../../support/command.js';
import { greatestDifference } from '../../support/compare.js';
import { testImage } from '../../support/engine.js';
import { steeredModel } from '../../support/steered-model.js';

const model = await steeredModel('all');
const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const maxPixels = 1_000_000;

await writeFile(at('in.png'), await encodeImage(testImage(1, { width: 64, height: 64 }), 'png', 1));
await writeFile(at('look.webp'), await encodeImage(testImage(9, { width: 120, height: 60 }), 'webp', 90));
await writeFile(at('text.txt'), 'no picture');

describe('the style image of millrace run', () => {
  it('is made as small as the image encoder takes it, and is refused by the name of its file', async () => {
    const { width, height } = await decodeImage(await readStyleImage(at('look.webp'), 24), { maxPixels });
    assert.deepEqual([width, height], [24, 24]);
    await assert.rejects(readStyleImage(at('text.txt'), 24), {
      name: 'RunError',
      message: `${at('text.txt')}: the data is not a JPEG, PNG or WebP image`,
    });
    await assert.rejects(readStyleImage(at('look.webp'), null), {
      message: /the model has no image encoder/,
    });
  });

  it('changes what the output looks like', async () => {
    process.env['XDG_CACHE_HOME'] = at('cache');
    const draw = async (...style: readonly string[]): Promise<Uint8Array> => {
      const files = [at('in.png'), '-o', at('out.png'), '-y'];
      const common = ['-p', 'x', '--model', model, '--size', '64x64'];
      const { code, stderr } = await runMillrace(['run', ...files, ...common, ...style]);
      assert.equal(code, 0, stderr);
      return (await decodeImage(await readFile(at('out.png')), { maxPixels })).data;
    };
    // Without an effect of the style image, its scale would have none.
    const styled = await draw('--style-image', at('look.webp'));
    const slightly = await draw('--style-image', at('look.webp'), '--ip-adapter-scale', '0.1');
    const difference = greatestDifference(styled, slightly);
    assert.ok(difference > 2, `${difference}`);
  });
});
