import assert from 'node:assert/strict';
import { it } from 'node:test';
import { sniffFormat } from '../../src/image/format.js';

const starts = {
  jpeg: Buffer.from('ffd8ff', 'hex'),
  png: Buffer.from('89504e470d0a1a0a', 'hex'),
  webp: Buffer.from('RIFF\x01\x02\x03\x04WEBP', 'latin1'),
} as const;

for (const format of ['jpeg', 'png', 'webp'] as const) {
  it(`recognises a ${format} file by every one of its first bytes`, () => {
    const start = starts[format];
    assert.equal(sniffFormat(start), format);
    assert.equal(sniffFormat(Buffer.concat([start, Buffer.from('more')])), format);
    assert.equal(sniffFormat(start.subarray(0, -1)), null);
    for (let at = 0; at < start.length; at++) {
      const changed = Buffer.from(start);
      changed[at] = 0x55;
      // Bytes 4 to 7 of a WebP are its length, which may have any value.
      assert.equal(
        sniffFormat(changed),
        format === 'webp' && at >= 4 && at < 8 ? format : null,
        `byte ${at}`,
      );
    }
  });
}

it('recognises no format in other files', () => {
  for (const text of ['', 'GIF89a', 'RIFF\x01\x02\x03\x04WAVE', 'WEBPRIFFWEBP']) {
    assert.equal(sniffFormat(Buffer.from(text, 'latin1')), null, text);
  }
});
