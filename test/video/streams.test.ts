import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  deviceSource,
  isUrl,
  needSystemFfmpeg,
  networkSource,
  pipedSource,
  type StreamForm,
} from '../../src/video/streams.js';
import { ffmpeg } from './videos.js';

const none: StreamForm = { format: null, size: null, rate: null };
const rate = { numerator: 30_000, denominator: 1001 };

describe('the arguments of ffmpeg for streams', () => {
  it('ask a camera for a size and a rate, if they are given', () => {
    const { inputOptions, argument, isLive } = deviceSource('/dev/video0', none, true);
    assert.deepEqual([inputOptions, argument, isLive], [['-f', 'v4l2'], '/dev/video0', true]);
    assert.deepEqual(deviceSource('/dev/video0', { ...none, size: '640x480', rate }, true).inputOptions, [
      '-f',
      'v4l2',
      '-framerate',
      '30000/1001',
      '-video_size',
      '640x480',
    ]);
    const desktop = deviceSource(':0.0', { ...none, format: 'x11grab' }, true);
    assert.deepEqual([desktop.inputOptions, desktop.argument], [['-f', 'x11grab'], ':0.0']);
  });

  it('say what raw video on standard input is, and nothing of a container', () => {
    const raw = { format: 'rawvideo:yuv420p', size: '64x48', rate };
    assert.deepEqual(pipedSource(raw, false).inputOptions, [
      '-f',
      'rawvideo',
      '-pixel_format',
      'yuv420p',
      '-framerate',
      '30000/1001',
      '-video_size',
      '64x48',
    ]);
    assert.equal(pipedSource({ ...raw, format: 'rawvideo' }, false).inputOptions[3], 'rgb24');
    assert.equal(pipedSource({ ...raw, rate: null }, false).inputOptions[5], '25');
    const { inputOptions, argument, isPiped } = pipedSource(none, false);
    assert.deepEqual([inputOptions, argument, isPiped], [[], 'pipe:0', true]);
  });

  it('read RTSP over TCP, and other addresses as they are', () => {
    const camera = networkSource('rtsp://ann:secret@camera/1', none, true);
    assert.deepEqual(camera.inputOptions, ['-rtsp_transport', 'tcp']);
    assert.deepEqual(
      [camera.argument, camera.path],
      ['rtsp://ann:secret@camera/1', 'rtsp://ann:***@camera/1'],
    );
    assert.deepEqual(networkSource('rtmp://a/b', none, true).inputOptions, []);
  });
});

it('addresses are told from paths', () => {
  for (const url of ['rtsp://camera/1', 'HTTPS://a.example', 'srt://a:1?mode=listener'])
    assert.ok(isUrl(url), url);
  for (const path of ['a.mp4', '/dev/video0', 'C:\\a.mp4', 'c://a', '-', 'a:b'])
    assert.ok(!isUrl(path), path);
});

it('the packaged ffmpeg is refused for what it does not have, with what to do', () => {
  assert.throws(() => needSystemFfmpeg(ffmpeg, 'rtsp://a cannot be opened'), {
    name: 'VideoError',
    message: /^rtsp:\/\/a cannot be opened: .* has neither network nor devices; install a recent ffmpeg/,
  });
  needSystemFfmpeg({ ...ffmpeg, isPackaged: false }, '');
});
