import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import sharp from 'sharp';
import { countedNames, openFolder } from '../../../src/cli/run/folder.js';
import { tower } from '../../image/pictures.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(folder, { recursive: true }));
const rate = { numerator: 25, denominator: 1 };

const namesOf = async (path: string): Promise<{ names: string[]; passedOver: readonly string[] }> => {
  const input = await openFolder(path, rate);
  const names: string[] = [];
  for await (const { name, time } of input.frames()) {
    assert.equal(time, names.length, 'passed-over files leave no gap');
    names.push(name ?? '');
  }
  return { names, passedOver: input.passedOver };
};

describe('openFolder', () => {
  it('reads the pictures in the order of their numbers and passes over other files', async () => {
    const path = join(folder, 'mixed');
    await mkdir(join(path, 'sub.jpg'), { recursive: true });
    const small = sharp(tower).resize(64, 48);
    const long = `${'n'.repeat(251)}.png`;
    const files: Readonly<Record<string, Uint8Array>> = {
      '10.jpg': tower,
      '2.jpg': tower,
      '1.webp': await small.clone().webp().toBuffer(),
      '3.avif': await small.clone().avif().toBuffer(),
      [long]: await small.clone().png().toBuffer(),
      '._2.jpg': Buffer.from([0, 5, 22, 7, 0, 2, 0, 0]),
      '4.jpg': tower.subarray(0, 5000),
      '5.png': new Uint8Array(),
      'Thumbs.db': Buffer.from('x'),
      '.DS_Store': Buffer.from('x'),
      'notes.txt': Buffer.from('x'),
      '6.heic': Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'),
    };
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(path, name), bytes);
    const isPosix = process.platform !== 'win32';
    if (isPosix) {
      execFileSync('/bin/sh', ['-c', 'mkfifo "$0"', join(path, '7.jpg')]);
      await symlink(join(path, 'nowhere'), join(path, '8.jpg'));
    }
    const { names, passedOver } = await namesOf(path);
    assert.deepEqual(names, ['1.webp', '2.jpg', '3.avif', '10.jpg', long]);
    const others = ['._2.jpg', '.DS_Store', '4.jpg', '5.png', '6.heic', 'Thumbs.db', 'notes.txt', 'sub.jpg'];
    if (isPosix) others.push('7.jpg', '8.jpg');
    assert.deepEqual([...passedOver].sort(), others.sort());
  });

  it('fails if nothing can be read, with the reason for the first file', async () => {
    const path = join(folder, 'broken');
    await mkdir(path);
    await writeFile(join(path, 'a.jpg'), tower.subarray(0, 5000));
    await writeFile(join(path, 'b.jpg'), 'x');
    await assert.rejects(namesOf(path), {
      name: 'RunError',
      message: /no picture in \S+broken .*a\.jpg: the JPEG/,
    });
    await rm(join(path, 'a.jpg'));
    await rm(join(path, 'b.jpg'));
    await writeFile(join(path, 'c.txt'), 'x');
    await assert.rejects(namesOf(path), {
      name: 'RunError',
      message: /no JPEG.*broken \(passed over 1 file: c\.txt\)/,
    });
  });
});

describe('countedNames', () => {
  it('names the first three', () => {
    assert.equal(countedNames(['a']), '1 file: a');
    assert.equal(countedNames(['a', 'b', 'c', 'd', 'e']), '5 files: a, b, c and 2 more');
  });
});
