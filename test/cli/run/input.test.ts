import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { openInput } from '../../../src/cli/run/open-input.js';
import { RunError } from '../../../src/cli/run/run-error.js';
import { exifBlock, jpegSegment, pngFile, withSegments } from '../../image/files.js';
import { tower } from '../../image/pictures.js';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-input-'));
});
after(() => rm(folder, { recursive: true }));

const options = {
  ffmpeg: () => Promise.reject(new Error('no video is read here')),
  rate: { numerator: 25, denominator: 1 },
};

it('pictures are turned upright by their EXIF orientation, like frames of a stream', async () => {
  await writeFile(join(folder, '1.jpg'), tower);
  await writeFile(join(folder, '2.jpg'), withSegments(tower, jpegSegment(0xe1, exifBlock(6))));
  const sizes: (readonly number[])[] = [];
  for await (const { image } of (await openInput(folder, options)).frames()) {
    sizes.push([image.width, image.height]);
  }
  assert.deepEqual(sizes, [
    [512, 384],
    [384, 512],
  ]);
});

it('an unusable picture is named in the error', async () => {
  const path = join(folder, 'thin.png');
  await writeFile(path, pngFile({ width: 1, height: 65 }));
  const input = await openInput(path, options);
  await assert.rejects(input.frames()[Symbol.asyncIterator]().next(), (error) => {
    assert.ok(error instanceof RunError);
    assert.match(error.message, /thin\.png: the image is too thin/);
    return true;
  });
});
