import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseMediaInfo } from '../../src/video/media-info.js';

/** Output of version 5 (with identifiers), 4 (without) and 8 (with more in brackets). */
const TEXT = `[mov,mp4,m4a,3gp,3g2,mj2 @ 0x5643d72b4840] Could not find codec parameters for stream 2
Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'file:in.mov':
  Metadata:
    major_brand     : qt
  Duration: 00:01:00.80, start: 0.025000, bitrate: 247 kb/s
  Chapters:
    Chapter #0:0: start 0.000000, end 1.000000
  Stream #0:0[0x1](und): Video: hevc (Main 10) (hvc1 / 0x31637668), yuv420p10le(tv, bt2020nc/bt2020/arib-std-b67, progressive), 1920x1080 [SAR 1:1 DAR 16:9], 1 kb/s, 10 fps (default)
      Metadata:
        handler_name    : VideoHandler
        timecode        : 01:02:03:04
      Side data:
        DOVI configuration record: version: 1.0, profile: 8, level: 1
  Stream #0:1(eng): Audio: aac (LC) (mp4a / 0x6134706D), 44100 Hz, mono, fltp, 71 kb/s (default)
  Stream #0:2[0x3]: Audio: none (apac / 0x63617061), 44100 Hz, 67 kb/s
  Stream #0:3: Video: mjpeg (Baseline), yuvj420p(pc, bt470bg/unknown/unknown), 64x64, 90k tbn (attached pic)
  Stream #0:4: Data: bin_data (text / 0x74786574), 0 kb/s
  Stream #0:5(ger): Subtitle: subrip
      Metadata:
        DURATION        : 00:00:09.500000000
  Stream #0:6: Attachment: ttf
  Stream #0:7: Video: h264, yuv420p(tv, bt709), 1280x720
  Stream #0:8: Video: gif, bgra, 128x96, 0.17 fps
Stream mapping:
  Stream #0:0 -> #0:0 (copy)
Output #0, framecrc, to 'pipe:1':
  Stream #0:0: Video: hevc, yuv420p
`;

describe('parseMediaInfo', () => {
  const info = parseMediaInfo(TEXT);

  it('reads streams, colours and clocks', () => {
    assert.deepEqual(
      info.streams.map(({ type, codec, tag, isCover }) => [type, codec, tag, isCover]),
      [
        ['video', 'hevc', 'hvc1', false],
        ['audio', 'aac', 'mp4a', false],
        ['audio', 'none', 'apac', false],
        ['video', 'mjpeg', null, true],
        ['data', 'bin_data', 'text', false],
        ['subtitle', 'subrip', null, false],
        ['attachment', 'ttf', null, false],
        ['video', 'h264', null, false],
        ['video', 'gif', null, false],
      ],
    );
    const colours = info.streams.map((stream) => Object.values(stream.colours).join(' '));
    assert.deepEqual(
      [colours[0], colours[3], colours[7], colours[8]],
      [
        'bt2020nc bt2020 arib-std-b67',
        'bt470bg unknown unknown',
        'bt709 bt709 bt709',
        'unknown unknown unknown',
      ],
    );
    const [first] = info.streams;
    assert.deepEqual([first?.width, first?.height, first?.dolbyVision], [1920, 1080, 8]);
    assert.deepEqual([info.start, info.duration, info.hasChapters], [0.025, 60.8, true]);
    assert.deepEqual([info.timecode, info.streams[5]?.end], ['01:02:03:04', 9.5]);
  });

  it('finds nothing in other text', () => {
    assert.deepEqual(parseMediaInfo('a.mp4: Invalid data found when processing input\n').streams, []);
  });
});
