import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { VideoError } from '../../src/video/ffmpeg.js';
import { probeVideo } from '../../src/video/probe.js';
import { readVideo } from '../../src/video/read.js';
import { meanDifference } from '../image/pictures.js';
import { collect, ffmpeg, fixturePath } from './videos.js';

const walkers = fixturePath('videos/walkers.mp4');
const tree = fixturePath('videos/tree.webm');
const maxPixels = 1 << 20;
const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(folder, { recursive: true }));

describe('probeVideo', () => {
  it('reports frames, rate and sound', async () => {
    const { frames, rate, tracks } = await probeVideo(ffmpeg, walkers);
    assert.deepEqual([frames, rate], [40, { numerator: 10, denominator: 1 }]);
    assert.deepEqual(
      tracks.map(({ index, type, codec }) => [index, type, codec]),
      [[1, 'audio', 'aac']],
    );
  });

  it('reports null for a varying rate', async () => {
    const { frames, rate, tracks, timebase } = await probeVideo(ffmpeg, tree);
    assert.deepEqual([frames, rate, tracks], [24, null, []]);
    assert.deepEqual(timebase, { numerator: 1, denominator: 1000 });
  });

  it('refuses a file that is not a video with one line that names it', async () => {
    for (const name of ['text.mp4', 'text.txt']) {
      await writeFile(join(folder, name), 'no video');
      const expected = { name: 'VideoError', message: /^\S+text\.\w+ is not a video that can be read: .+$/ };
      await assert.rejects(probeVideo(ffmpeg, join(folder, name)), expected);
    }
    await assert.rejects(probeVideo(ffmpeg, join(folder, 'missing.mp4')), { name: 'VideoError' });
  });
});

describe('readVideo', () => {
  it('yields all frames with their times', async () => {
    const frames = await collect(readVideo(ffmpeg, await probeVideo(ffmpeg, tree), maxPixels));
    assert.equal(frames.length, 24);
    assert.deepEqual(
      frames.slice(0, 5).map(({ time }) => time),
      [0, 733, 1133, 1600, 2067],
    );
    for (const { image } of frames) assert.deepEqual([image.width, image.height], [320, 240]);
    const [first, second, last] = [frames[0], frames[1], frames.at(-1)!];
    assert.ok(meanDifference(first.image, second.image) > 1);
    assert.ok(meanDifference(first.image, last.image) > 1);
  });

  it('ends ffmpeg when the reader stops early', async () => {
    for await (const { time } of readVideo(ffmpeg, await probeVideo(ffmpeg, walkers), maxPixels)) {
      assert.equal(time, 0);
      break;
    }
    // A surviving child would keep the test process from exiting.
  });

  it('refuses a picture above the pixel limit', async () => {
    const frames = readVideo(ffmpeg, await probeVideo(ffmpeg, walkers), 1000);
    await assert.rejects(collect(frames), { name: 'VideoError', message: /384x288/ });
  });

  it('stops when its signal aborts', async () => {
    const abort = new AbortController();
    const frames = readVideo(
      { ...ffmpeg, signal: abort.signal },
      await probeVideo(ffmpeg, walkers),
      maxPixels,
    );
    await frames.next();
    abort.abort();
    await assert.rejects(collect(frames), VideoError);
  });
});
