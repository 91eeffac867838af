import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { reasonIn, unwrittenIn } from '../../src/video/faults.js';

describe('reasonIn', () => {
  it('picks the line with the cause from the error output', () => {
    const cases: readonly (readonly [expected: string, text: string])[] = [
      [
        'Could not find tag for codec adpcm_ima_qt in stream #1, codec not currently supported in container',
        '[mp4 @ 0x55d0] Could not find tag for codec adpcm_ima_qt in stream #1, codec not currently supported in ' +
          'container\nCould not write header for output file #0 (incorrect codec parameters ?): Invalid argument\n' +
          'Error initializing output stream 0:1 -- \nConversion failed!\n',
      ],
      [
        'Invalid channel layout 5.1(side) for specified mapping family -1.',
        '[libopus @ 0x1] Invalid channel layout 5.1(side) for specified mapping family -1.\nError initializing ' +
          'output stream 0:1 -- Error while opening encoder for output stream #0:1 - maybe incorrect parameters\n' +
          'Conversion failed!',
      ],
      [
        'Error submitting a packet to the muxer: No space left on device',
        '[h264 @ 0x1] error while decoding MB 3 4, bytestream -5\n[vost#0:0/libx264 @ 0x2] Error submitting a packet ' +
          'to the muxer: No space left on device\nTask finished with error code: -28 (No space left on device)\n' +
          'Terminating thread with return code -28 (No space left on device)\nConversion failed!',
      ],
      [
        'av_interleaved_write_frame(): No space left on device',
        'av_interleaved_write_frame(): No space left on device\nError writing trailer of x.mp4: No space left on ' +
          'device\nConversion failed!',
      ],
      [
        'Error opening input: No such file or directory',
        '[in#0 @ 0x1] Error opening input: No such file or directory\nError opening input file nope.mp4.\n' +
          'Error opening input files: No such file or directory',
      ],
      [
        'moov atom not found',
        '[mov,mp4 @ 0x1] moov atom not found\na.mp4: Invalid data found when processing input',
      ],
      ["Unknown encoder 'libx264'", "Unknown encoder 'libx264'\n"],
      ['Conversion failed!', 'Conversion failed!\n'],
    ];
    for (const [expected, text] of cases) assert.equal(reasonIn(text), expected);
    assert.equal(reasonIn('\n'), undefined);
  });

  it('finds an unfinished file even though ffmpeg exits without an error', () => {
    const text = 'Error writing trailer of file:x.mkv: No space left on device\n';
    assert.equal(unwrittenIn(text), text.trim());
    assert.equal(unwrittenIn('[h264 @ 0x1] error while decoding MB 3 4, bytestream -5'), undefined);
  });
});
