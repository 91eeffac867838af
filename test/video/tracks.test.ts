import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { probeVideo, type VideoInfo } from '../../src/video/probe.js';
import { planTracks } from '../../src/video/tracks.js';
import { fileDestination } from '../../src/video/destinations.js';
import { VideoWriter } from '../../src/video/write.js';
import { ffmpeg, fixturePath, runFfmpeg, soundOf } from './videos.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

const picture = ['-f', 'lavfi', '-i', 'testsrc=s=64x64:r=10:d=0.4'];
const tone = ['-f', 'lavfi', '-i', 'sine=d=0.4'];
const spatial = fixturePath('videos/spatial-audio.mov');

interface Result {
  /** `audio aac`, in the order of the file. */
  readonly tracks: readonly string[];
  readonly converted: readonly string[];
  readonly left: readonly string[];
  readonly timecode: string | null;
  readonly path: string;
}

let files = 0;

/** Writes a black picture with the tracks of a file. */
async function carry(video: VideoInfo, extension: string): Promise<Result> {
  const path = at(`${files++}${extension}`);
  const { kept, left } = await planTracks(ffmpeg, video, path);
  const { timebase, rate, last, timecode } = video;
  const tracks = { source: video, kept, timecode };
  const size = { width: 64, height: 64 };
  const destination = fileDestination(path, null, ffmpeg);
  const options = { destination, ...size, timebase, rate, last, start: 0, tracks };
  await using writer = new VideoWriter(ffmpeg, options);
  const step = last.time / Math.max(1, last.index);
  for (let index = 0; index <= last.index; index++) {
    await writer.write({ ...size, data: new Uint8Array(64 * 64 * 3) }, index * step);
  }
  await writer.finish();
  const written = await probeVideo(ffmpeg, path);
  return {
    tracks: written.tracks.map(({ type, codec }) => `${type} ${codec}`),
    converted: kept.flatMap(({ stream, handling }) =>
      handling.encoder ? [`${stream.codec} ${handling.encoder}`] : [],
    ),
    timecode: written.timecode,
    left: left.map(({ stream, reason }) => `${stream.index} ${stream.tag ?? stream.codec}: ${reason}`),
    path,
  };
}

describe('planTracks', () => {
  it('keeps sound next to a track that ffmpeg does not know, and reports that track', async () => {
    const video = await probeVideo(ffmpeg, spatial);
    const sound = await soundOfFirst(spatial);
    for (const extension of ['.mp4', '.mkv']) {
      const { tracks, converted, left, path } = await carry(video, extension);
      assert.deepEqual([tracks, converted], [['audio aac'], []], extension);
      assert.deepEqual(left, ['2 apac: ffmpeg does not know its codec (apac)']);
      assert.deepEqual(await soundOf(path), sound);
    }
  });

  it('encodes only tracks that the container cannot hold', async () => {
    const source = at('adpcm.mov');
    await runFfmpeg(
      ...picture,
      ...tone,
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-c:a',
      'adpcm_ima_qt',
      `file:${source}`,
    );
    const video = await probeVideo(ffmpeg, source);
    const cases = [
      ['.mp4', 'audio aac', 'adpcm_ima_qt aac'],
      ['.mov', 'audio adpcm_ima_qt', ''],
      ['.mkv', 'audio aac', 'adpcm_ima_qt aac'],
      ['.webm', 'audio vorbis', 'adpcm_ima_qt libvorbis'],
    ] as const;
    for (const [extension, track, conversion] of cases) {
      const { tracks, converted, left } = await carry(video, extension);
      assert.deepEqual([tracks, converted.join(), left], [[track], conversion, []], extension);
    }
  });

  it('converts channel layouts that an encoder refuses into one that it accepts', async () => {
    for (const layout of ['5.1(side)', '6.1(front)']) {
      const source = at(`${layout}.mkv`);
      const sound = ['-af', `pan=${layout}|c0=c0|c1=c0|c2=c0`, '-c:a', 'flac'];
      await runFfmpeg(
        ...picture,
        ...tone,
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        ...sound,
        '-y',
        `file:${source}`,
      );
      const video = await probeVideo(ffmpeg, source);
      for (const [extension, track] of [
        ['.webm', 'audio vorbis'],
        ['.mp4', 'audio aac'],
      ] as const) {
        const { tracks, left } = await carry(video, extension);
        assert.deepEqual([tracks, left], [[track], []], layout + extension);
      }
    }
  });

  it('keeps subtitles (in the format of the container), chapters and the timecode', async () => {
    await writeFile(at('in.srt'), '1\n00:00:00,100 --> 00:00:00,300\nHello\n');
    const chapter = '[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=300\ntitle=one\n';
    await writeFile(at('in.txt'), `;FFMETADATA1\ntitle=Film\n${chapter}`);
    const source = at('film.mov');
    const even = ['-f', 'lavfi', '-i', 'testsrc=s=64x64:r=25:d=0.4'];
    const texts = ['-i', `file:${at('in.srt')}`, '-i', `file:${at('in.txt')}`];
    const maps = '-map 0 -map 1 -map 2 -map_metadata 3'.split(' ');
    const codecs = '-c:v libx264 -preset ultrafast -c:a aac -c:s mov_text -timecode 01:02:03:04'.split(' ');
    await runFfmpeg(...even, ...tone, ...texts, ...maps, ...codecs, `file:${source}`);
    const video = await probeVideo(ffmpeg, source);
    const cases = [
      ['.mp4', 'subtitle mov_text'],
      ['.mkv', 'subtitle subrip'],
      ['.webm', 'subtitle webvtt'],
    ] as const;
    for (const [extension, subtitle] of cases) {
      const { tracks, left, timecode, path } = await carry(video, extension);
      assert.deepEqual([tracks[1], left], [subtitle, []], extension);
      assert.equal(timecode, '01:02:03:04', extension);
      const metadata = await runFfmpeg('-i', `file:${path}`, '-f', 'ffmetadata', 'pipe:1');
      assert.match(metadata, /\[CHAPTER\][^[]*title=one/);
    }
  });

  it('leaves out tracks that do not fit, such as covers and other pictures, and reports them', async () => {
    const source = at('cover.mkv');
    const two = [
      '-map',
      '0',
      '-map',
      '1',
      '-map',
      '0',
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-c:a',
      'aac',
    ];
    await runFfmpeg(...picture, ...tone, ...two, `file:${source}`);
    const { tracks, left } = await carry(await probeVideo(ffmpeg, source), '.mp4');
    assert.deepEqual([tracks, left], [['audio aac'], ['2 h264: only the first video track is processed']]);
  });
});

async function soundOfFirst(path: string): Promise<string[]> {
  const copy = at('first.mkv');
  await runFfmpeg('-i', `file:${path}`, '-map', '0:a:0', '-c', 'copy', '-y', `file:${copy}`);
  return soundOf(copy);
}
