import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import sharp from 'sharp';
import { probeVideo, type VideoInfo } from '../../src/video/probe.js';
import { readVideo, type VideoFrame } from '../../src/video/read.js';
import { planTracks } from '../../src/video/tracks.js';
import { fileDestination } from '../../src/video/destinations.js';
import { VideoWriter, type VideoWriterOptions } from '../../src/video/write.js';
import { meanDifference } from '../image/pictures.js';
import { collect, ffmpeg, fixturePath, runFfmpeg, soundOf } from './videos.js';

const walkers = fixturePath('videos/walkers-short.mp4');
const tree = fixturePath('videos/tree.webm');
const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(folder, { recursive: true }));

const read = (video: VideoInfo): Promise<VideoFrame[]> => collect(readVideo(ffmpeg, video, 1 << 20));

interface Original {
  readonly video: VideoInfo;
  readonly frames: readonly VideoFrame[];
}

const originals = new Map<string, Promise<Original>>();

/** Returns a video that is copied, which is read once for all its copies. */
async function original(path: string): Promise<Original> {
  const load = async (): Promise<Original> => {
    const video = await probeVideo(ffmpeg, path);
    return { video, frames: await read(video) };
  };
  const found = originals.get(path) ?? load();
  originals.set(path, found);
  return found;
}

/** Copies a video through reader and writer; `change` replaces its timing. Returns the path of the copy. */
async function copy(
  input: string,
  name: string,
  change: Partial<Pick<VideoWriterOptions, 'timebase' | 'rate' | 'start'>> = {},
): Promise<string> {
  const { video, frames } = await original(input);
  const { timebase, rate, last } = video;
  const path = join(folder, name);
  const { width, height } = frames[0].image;
  const { kept } = await planTracks(ffmpeg, video, path);
  const tracks = { source: video, kept, timecode: video.timecode };
  const destination = fileDestination(path, null, ffmpeg);
  const options = { destination, width, height, start: 0, last, tracks, timebase, rate, ...change };
  await using writer = new VideoWriter(ffmpeg, options);
  for (const { image, time } of frames) await writer.write(image, options.start + time);
  await writer.finish();
  return path;
}

/** Returns when the last frame ends, in seconds. */
async function secondsOf(path: string): Promise<number> {
  const { last, timebase } = await probeVideo(ffmpeg, path);
  return ((last.time + last.duration) * timebase.numerator) / timebase.denominator;
}

describe('VideoWriter', () => {
  for (const name of ['copy.mp4', 'copy.mkv', 'copy.mov']) {
    it(`keeps frames, rate, pictures and sound in ${name}`, async () => {
      const path = await copy(walkers, name);
      const { video: before, frames: old } = await original(walkers);
      const after = await probeVideo(ffmpeg, path);
      assert.deepEqual([after.frames, after.rate], [before.frames, before.rate]);
      assert.deepEqual(after.stream.colours, { matrix: 'bt709', primaries: 'bt709', transfer: 'bt709' });
      assert.deepEqual(await soundOf(path), await soundOf(walkers));
      for (const [index, { image }] of (await read(after)).entries()) {
        assert.ok(meanDifference(image, old[index].image) < 6, `frame ${index}`);
      }
    });
  }

  it('re-encodes sound that the container cannot hold', async () => {
    const { frames, tracks, stream } = await probeVideo(ffmpeg, await copy(walkers, 'copy.webm'));
    assert.deepEqual(stream.colours, { matrix: 'bt709', primaries: 'bt709', transfer: 'bt709' });
    assert.deepEqual([frames, tracks.map(({ codec }) => codec)], [10, ['vorbis']]);
  });

  it('keeps the times of a varying rate', async () => {
    const short = join(folder, 'tree-short.webm');
    await runFfmpeg('-i', `file:${tree}`, '-frames:v', '6', '-c', 'copy', `file:${short}`);
    const { frames: before } = await original(short);
    assert.equal(before.length, 6);
    for (const name of ['tree.mp4', 'tree.mkv', 'tree.webm']) {
      const path = await copy(short, name);
      const video = await probeVideo(ffmpeg, path);
      const milliseconds = (1000 * video.timebase.numerator) / video.timebase.denominator;
      const after = await read(video);
      assert.deepEqual(
        after.map(({ time }) => Math.round(time * milliseconds)),
        before.map(({ time }) => time),
        name,
      );
    }
  });

  it('writes a fractional rate exactly', async () => {
    const rate = { numerator: 30_000, denominator: 1001 };
    // A frame of this video lasts 1024 ticks.
    const timebase = { numerator: 1001, denominator: 30_000 * 1024 };
    const { frames, rate: written } = await probeVideo(
      ffmpeg,
      await copy(walkers, 'ntsc.mp4', { rate, timebase }),
    );
    assert.deepEqual([frames, written], [10, rate]);
  });

  it('keeps a picture that starts after the sound', async () => {
    const path = await copy(walkers, 'late.mp4', { start: 5120 });
    const video = await probeVideo(ffmpeg, path);
    const [first] = await read(video);
    assert.equal((first.time * video.timebase.numerator) / video.timebase.denominator, 0.5);
  });

  it('keeps the duration of the last frame, at any rate', async () => {
    const gif = join(folder, 'slides.gif');
    const colours = ['red', 'lime', 'blue'];
    const frames = colours.map((background) => ({
      create: { width: 64, height: 48, channels: 3 as const, background },
    }));
    const gifs = await Promise.all(frames.map(async (frame) => sharp(frame).png().toBuffer()));
    await sharp(gifs, { join: { animated: true } })
      .gif({ delay: [1000, 2000, 6000] })
      .toFile(gif);
    const one = join(folder, 'one.mp4');
    await runFfmpeg('-f', 'lavfi', '-i', 'color=red:s=64x64:r=4:d=0.25', '-c:v', 'libx264', `file:${one}`);
    for (const extension of ['mp4', 'mkv', 'webm']) {
      assert.equal(await secondsOf(await copy(gif, `slides.${extension}`)), 9, extension);
    }
    assert.equal(await secondsOf(await copy(one, 'one-copy.mp4')), 0.25);
  });

  it('reports why ffmpeg cannot write', async () => {
    const size = { width: 64, height: 64 };
    const image = { ...size, data: new Uint8Array(64 * 64 * 3) };
    const timing = {
      rate: { numerator: 5, denominator: 1 },
      timebase: { numerator: 1, denominator: 5 },
      start: 0,
    };
    const path = join(folder, 'missing', 'out.mp4');
    const attempt = async (): Promise<void> => {
      await using writer = new VideoWriter(ffmpeg, {
        ...timing,
        ...size,
        destination: fileDestination(path, 18, ffmpeg),
        last: null,
        tracks: null,
      });
      for (let time = 0; time < 200; time++) await writer.write(image, time);
      await writer.finish();
    };
    await assert.rejects(attempt, { name: 'VideoError', message: /No such file or directory/ });
  });

  it('fails on a full disk although ffmpeg reports success', { skip: !existsSync('/dev/full') }, async () => {
    const size = { width: 64, height: 64 };
    const path = join(folder, 'full.mkv');
    await symlink('/dev/full', path);
    const timebase = { numerator: 1, denominator: 5 };
    const rate = { numerator: 5, denominator: 1 };
    const destination = fileDestination(path, 18, ffmpeg);
    const options = { destination, ...size, timebase, rate, start: 0, last: null, tracks: null };
    await using writer = new VideoWriter(ffmpeg, options);
    await writer.write({ ...size, data: new Uint8Array(64 * 64 * 3) }, 0);
    await assert.rejects(writer.finish(), { name: 'VideoError', message: /No space left on device/ });
  });
});
