import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readMovieTrack } from '../../src/video/movie-box.js';
import { probeVideo } from '../../src/video/probe.js';
import { readVideo } from '../../src/video/read.js';
import { meanColour } from '../image/pictures.js';
import { collect, ffmpeg, fixturePath, runFfmpeg } from './videos.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(folder, { recursive: true }));

/** 96x64: red at the top left, green at the top right, blue at the bottom left, white at the bottom right. */
const plain = join(folder, 'plain.mp4');
const corner = (colour: string): string => `color=${colour}:s=48x32:r=10:d=0.2`;
const corners = ['red', 'lime', 'blue', 'white'].flatMap((colour) => ['-f', 'lavfi', '-i', corner(colour)]);
const grid = ['-filter_complex', '[0][1]hstack[a];[2][3]hstack[b];[a][b]vstack,format=yuv444p'];
await runFfmpeg(...corners, ...grid, '-c:v', 'libx264', '-qp', '1', '-y', `file:${plain}`);

/** Writes the file with the matrix of its track replaced. */
async function turned(name: string, [a, b, c, d]: readonly number[]): Promise<string> {
  const bytes = await readFile(plain);
  const at = bytes.indexOf('tkhd') + 4 + 40;
  for (const [offset, value] of [a, b, 0, c, d].entries())
    bytes.writeInt32BE((value ?? 0) * 65_536, at + offset * 4);
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

describe('readMovieTrack', () => {
  /** By ISO/IEC 14496-12, 6.2.2: a point (x, y) is shown at (ax + cy, bx + dy). */
  const cases: readonly (readonly [matrix: readonly number[], corners: string])[] = [
    [[1, 0, 0, 1], 'RGBW'],
    [[0, 1, -1, 0], 'BRWG'],
    [[-1, 0, 0, -1], 'WBGR'],
    [[0, -1, 1, 0], 'GWRB'],
    [[-1, 0, 0, 1], 'GRWB'],
    [[1, 0, 0, -1], 'BWRG'],
    [[0, 1, 1, 0], 'RBGW'],
    [[0, -1, -1, 0], 'WGBR'],
  ];

  for (const [matrix, corners] of cases) {
    it(`shows a video with the matrix ${matrix.join(' ')} as ${corners}`, async () => {
      const path = await turned(`${corners}.mp4`, matrix);
      assert.notEqual((await readMovieTrack(path))?.orientation, null);
      const [first] = await collect(readVideo(ffmpeg, await probeVideo(ffmpeg, path), 1 << 20));
      assert.ok(first);
      const { image } = first;
      assert.deepEqual([image.width, image.height], matrix[0] === 0 ? [64, 96] : [96, 64]);
      const [w, h] = [image.width / 2, image.height / 2];
      const shown = [
        [0, 0],
        [w, 0],
        [0, h],
        [w, h],
      ].map(([x = 0, y = 0]) => {
        const [red, green, blue] = meanColour(image, x + 8, y + 8, w - 16, h - 16);
        if (red > 200) return green > 200 ? 'W' : 'R';
        return blue > green ? 'B' : 'G';
      });
      assert.equal(shown.join(''), corners);
    });
  }

  it('leaves other matrices and other containers to ffmpeg', async () => {
    assert.equal(
      (await readMovieTrack(await turned('tilted.mp4', [0.7, 0.7, -0.7, 0.7])))?.orientation,
      null,
    );
    assert.equal(await readMovieTrack(fixturePath('videos/tree.webm')), null);
    assert.equal(await readMovieTrack(fixturePath('images/tower.jpg')), null);
  });

  it('returns null for a file that ends within the header of a large box', async () => {
    const path = join(folder, 'cut.mp4');
    const header = Buffer.alloc(16);
    header.writeUInt32BE(1, 0);
    header.write('moov', 4, 'latin1');
    header.writeBigUInt64BE(1000n, 8);
    for (const length of [9, 15, 16]) {
      // The content of the preceding box, from which a faulty reader would take the length of this one.
      await writeFile(
        path,
        Buffer.concat([
          Buffer.from([0, 0, 0, 16]),
          Buffer.from('free'),
          header.subarray(8),
          header.subarray(0, length),
        ]),
      );
      assert.equal(await readMovieTrack(path), null);
    }
  });

  it('lets probeVideo report an encrypted video', async () => {
    const path = join(folder, 'encrypted.mp4');
    const key = ['-encryption_key', '00'.repeat(16), '-encryption_kid', '11'.repeat(16)];
    await runFfmpeg(
      '-i',
      `file:${plain}`,
      '-c',
      'copy',
      '-encryption_scheme',
      'cenc-aes-ctr',
      ...key,
      `file:${path}`,
    );
    await assert.rejects(probeVideo(ffmpeg, path), {
      name: 'VideoError',
      message: /encrypted\.mp4 .* is encrypted/,
    });
  });
});
