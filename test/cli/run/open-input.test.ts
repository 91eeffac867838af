import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import sharp from 'sharp';
import { openInput } from '../../../src/cli/run/open-input.js';
import { meanColour, tower } from '../../image/pictures.js';
import { ffmpeg, fixturePath, runFfmpeg } from '../../video/videos.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const open = (path: string) =>
  openInput(path, { ffmpeg: () => Promise.resolve(ffmpeg), rate: { numerator: 25, denominator: 1 } });

/** Returns the colours of the frames and when each is shown, in seconds; the last number is the end. */
async function shown(path: string): Promise<{ colours: string[]; seconds: number[] }> {
  const input = await open(path);
  const { timebase, last } = input;
  const colours: string[] = [];
  const seconds: number[] = [];
  const toSeconds = (ticks: number): number => (ticks * timebase.numerator) / timebase.denominator;
  for await (const { image, time } of input.frames()) {
    colours.push(meanColour(image).map(Math.round).join(' '));
    seconds.push(toSeconds(time));
  }
  return { colours, seconds: [...seconds, toSeconds((last?.time ?? 0) + (last?.duration ?? 0))] };
}

async function frames(format: 'gif' | 'webp', delay: readonly number[]): Promise<string> {
  const path = at(`animation.${format}`);
  const parts = ['#f00', '#0f0', '#00f'].map(async (background) =>
    sharp({ create: { width: 64, height: 48, channels: 3, background } })
      .png()
      .toBuffer(),
  );
  await sharp(await Promise.all(parts), { join: { animated: true } })
    .toFormat(format, { delay: [...delay], loop: 0, ...(format === 'webp' ? { lossless: true } : {}) })
    .toFile(path);
  return path;
}

describe('openInput', () => {
  it('opens animated GIF, WebP and PNG as videos, played once, with the original durations', async () => {
    for (const format of ['gif', 'webp'] as const) {
      assert.deepEqual(
        await shown(await frames(format, [1000, 2000, 6000])),
        { colours: ['255 0 0', '0 255 0', '0 0 255'], seconds: [0, 1, 3, 9] },
        format,
      );
    }
    const sources = ['red', 'lime'].flatMap((colour) => [
      '-f',
      'lavfi',
      '-i',
      `color=${colour}:s=64x48:r=4:d=0.5,format=rgb24`,
    ]);
    const join = ['-filter_complex', '[0][1]concat'];
    await runFfmpeg(...sources, ...join, '-f', 'apng', '-plays', '0', `file:${at('animation.png')}`);
    const { colours, seconds } = await shown(at('animation.png'));
    assert.deepEqual(colours, ['255 0 0', '255 0 0', '0 255 0', '0 255 0']);
    assert.deepEqual(
      seconds.map((second) => Math.round(second * 100) / 100),
      [0, 0.25, 0.5, 0.75, 1],
    );
  });

  it('opens still WebP, PNG and AVIF as pictures, and turns photos upright', async () => {
    for (const format of ['webp', 'png', 'avif'] as const) {
      await sharp(tower)
        .toFormat(format)
        .toFile(at(`still.${format}`));
      const { kind, total } = await open(at(`still.${format}`));
      assert.deepEqual([kind, total], ['image', 1]);
    }
    await sharp(tower)
      .resize(60, 40, { fit: 'fill' })
      .jpeg()
      .withMetadata({ orientation: 6 })
      .toFile(at('side.jpg'));
    for await (const { image } of (await open(at('side.jpg'))).frames()) {
      assert.deepEqual([image.width, image.height], [40, 60]);
    }
  });

  it('describes a file that it cannot read', async () => {
    await writeFile(at('empty.mp4'), '');
    await writeFile(at('text.pdf'), '%PDF-1.4');
    await runFfmpeg('-f', 'lavfi', '-i', 'sine=d=0.2', '-c:a', 'aac', `file:${at('sound.m4a')}`);
    const cover = ['-map', '0', '-map', '1', '-disposition:v', 'attached_pic'];
    await writeFile(at('cover.jpg'), tower);
    await runFfmpeg(
      '-i',
      `file:${at('sound.m4a')}`,
      '-i',
      `file:${at('cover.jpg')}`,
      ...cover,
      `file:${at('song.mp3')}`,
    );
    const whole = await readFile(at('sound.m4a'));
    await writeFile(at('cut.mp4'), whole.subarray(0, whole.length / 2));
    const cases: readonly (readonly [string, RegExp])[] = [
      [at('nope.mp4'), /there is no file or folder \S+nope\.mp4/],
      [at('empty.mp4'), /empty\.mp4 is empty/],
      [at('text.pdf'), /text\.pdf is not a video that can be read/],
      [at('sound.m4a'), /sound\.m4a .* it has sound, but no video/],
      [at('song.mp3'), /song\.mp3 .* it has sound and a cover picture, but no video/],
      [at('cut.mp4'), /cut\.mp4 .* cut short.*moov/],
      [`/${'x'.repeat(300)}`, /x cannot be read \(ENAMETOOLONG\)/],
      ['/dev/null', /is not a file but a device or a pipe/],
    ];
    for (const [path, message] of cases) await assert.rejects(open(path), { message }, path);
    const heic = await open(fixturePath('images/photo.heic'));
    const read = async (): Promise<void> => {
      for await (const _ of heic.frames());
    };
    await assert.rejects(read, { message: /photo\.heic: HEIC pictures cannot be read here.*convert it/ });
  });
});
