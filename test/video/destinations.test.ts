import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import {
  deviceDestination,
  fileDestination,
  networkDestination,
  pipeDestination,
  pipeFormatNames,
} from '../../src/video/destinations.js';
import { probeVideo } from '../../src/video/probe.js';
import { readVideo } from '../../src/video/read.js';
import { VideoWriter } from '../../src/video/write.js';
import { meanColour } from '../image/pictures.js';
import { collect, ffmpeg } from './videos.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(folder, { recursive: true }));

describe('the arguments of ffmpeg for outputs', () => {
  it('send H.264 without delay to an address, in the format of its scheme', () => {
    const targets: Readonly<Record<string, readonly string[]>> = {
      'rtmp://a/live/key': ['-f', 'flv'],
      'rtsp://a/b': ['-f', 'rtsp', '-rtsp_transport', 'tcp'],
      'srt://a:1': ['-f', 'mpegts'],
      'udp://a:1': ['-f', 'mpegts'],
    };
    for (const [url, format] of Object.entries(targets)) {
      const { target, options } = networkDestination(url, null);
      assert.deepEqual(target, [...format, url]);
      assert.ok(options.includes('zerolatency'));
    }
    for (const wrong of ['gopher://ann:secret@a/b', 'rtmp://ann:secret@a:99999/b']) {
      assert.throws(
        () => networkDestination(wrong, null),
        (error: Error) => {
          assert.equal(error.name, 'VideoError');
          assert.match(error.message, /^nothing can be sent to (gopher|rtmp):\/\/ann:\*{3}@a.*\/b: /);
          return true;
        },
      );
    }
    assert.throws(() => networkDestination('gopher://a', null), {
      name: 'VideoError',
      message: /nothing can be sent to gopher:\/\/a: addresses of outputs begin with rtmp:\/\/, /,
    });
  });

  it('give a video device raw pictures', () => {
    const { target, options, filter } = deviceDestination('/dev/video10');
    assert.deepEqual(target, ['-f', 'v4l2', '/dev/video10']);
    assert.deepEqual(options, ['-c:v:0', 'rawvideo']);
    assert.match(filter, /format=yuv420p$/);
  });

  it('write every format of standard output to it', () => {
    for (const format of pipeFormatNames) {
      assert.deepEqual(pipeDestination(format, null).target, ['-f', format, 'pipe:1']);
    }
  });
});

it('a GIF has the colours and the times of its frames', async () => {
  const path = join(folder, 'a.gif');
  const size = { width: 64, height: 48 };
  const destination = fileDestination(path, null, ffmpeg);
  const timebase = { numerator: 1, denominator: 10 };
  const timing = { timebase, rate: null, start: 0, last: null, tracks: null };
  await using writer = new VideoWriter(ffmpeg, { destination, ...size, ...timing });
  const colours = [
    [250, 20, 30],
    [10, 200, 90],
    [40, 60, 220],
  ] as const;
  for (const [index, colour] of colours.entries()) {
    const data = new Uint8Array(64 * 48 * 3).map((_, at) => colour[at % 3] ?? 0);
    await writer.write({ ...size, data }, index * 4);
  }
  await writer.finish();
  const video = await probeVideo(ffmpeg, path);
  const frames = await collect(readVideo(ffmpeg, video, 1 << 20));
  assert.deepEqual(
    frames.map(({ time }) => (time * video.timebase.numerator) / video.timebase.denominator),
    [0, 0.4, 0.8],
  );
  for (const [index, { image }] of frames.entries()) {
    const off = meanColour(image).map((value, channel) => Math.abs(value - (colours[index]?.[channel] ?? 0)));
    assert.ok(Math.max(...off) < 6, `frame ${index}: ${off.join(' ')}`);
  }
});
