import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { planColours } from '../../src/video/colour.js';
import { probeVideo } from '../../src/video/probe.js';
import { readVideo } from '../../src/video/read.js';
import { meanColour } from '../image/pictures.js';
import { collect, ffmpeg, fixturePath, runFfmpeg } from './videos.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(folder, { recursive: true }));

const colourOf = async (path: string): Promise<number[]> => {
  const [first] = await collect(readVideo(ffmpeg, await probeVideo(ffmpeg, path), 1 << 22));
  assert.ok(first);
  return [...meanColour(first.image)];
};

/** Writes a 10-bit video of one frame of one YUV colour with the given tags. Returns its path. */
async function flat(
  name: string,
  [y, u, v]: readonly [number, number, number],
  tags: readonly string[],
  size = '64x64',
): Promise<string> {
  const path = join(folder, name);
  // Each pixel is computed, so few are, and they are enlarged.
  const colour = `color=black:s=64x64:r=10:d=0.1,format=yuv444p10le,geq=lum=${y}:cb=${u}:cr=${v}`;
  const source = size === '64x64' ? colour : `${colour},scale=${size.replace('x', ':')}:flags=neighbor`;
  const encoder = ['-c:v', 'libx264', '-qp', '1', '-preset', 'ultrafast', ...tags];
  await runFfmpeg('-f', 'lavfi', '-i', source, ...encoder, '-y', `file:${path}`);
  return path;
}

/** Returns a grey in narrow-range 10 bits (ITU-R BT.2100, table 9). */
const grey = (share: number): readonly [number, number, number] => [Math.round(64 + 876 * share), 512, 512];
const tags = (matrix: string, primaries: string, transfer: string): readonly string[] =>
  `-colorspace ${matrix} -color_primaries ${primaries} -color_trc ${transfer} -color_range tv`.split(' ');
const hlg = tags('bt2020nc', 'bt2020', 'arib-std-b67');
const pq = tags('bt2020nc', 'bt2020', 'smpte2084');

describe('planColours', () => {
  it('shows HDR reference white as white (ITU-R BT.2408) and brighter values no darker', async () => {
    // 203 cd/m2 are 75% of HLG and 58% of PQ; 1000 cd/m2 are 100% and 75%.
    const white = await colourOf(fixturePath('videos/hlg-reference-white.mov'));
    for (const value of white) assert.ok(value >= 240, white.join(' '));
    const others = [
      await colourOf(await flat('pq.mp4', grey(0.581), pq)),
      await colourOf(await flat('hlg-peak.mp4', grey(1), hlg)),
      await colourOf(await flat('pq-peak.mp4', grey(0.752), pq)),
    ];
    assert.ok(Math.abs((others[0]?.[0] ?? 0) - (white[0] ?? 0)) <= 4, String(others[0]));
    for (const peak of others.slice(1)) assert.ok((peak[0] ?? 0) > (white[0] ?? 0), String(peak));
  });

  it('keeps light below white unchanged: 18% grey in HDR stays 18% grey', async () => {
    // 26 cd/m2 of 203 are 38% of HLG and PQ (BT.2408, table 1): 255 times their share of white to the power 1/2.4.
    const expected = 255 * (26 / 203) ** (1 / 2.4);
    for (const [name, options] of [
      ['hlg-grey.mp4', hlg],
      ['pq-grey.mp4', pq],
    ] as const) {
      const [value = 0] = await colourOf(await flat(name, grey(0.38), options));
      assert.ok(Math.abs(value - expected) < 6, `${name}: ${value} for ${expected}`);
    }
  });

  it('converts wide primaries to those of screens', async () => {
    // BT.709 green in BT.2020 (BT.2087): linear 0.3293, 0.9195, 0.0880, then gamma 2.4, then the BT.2020 matrix.
    const [r, g, b] = [0.3293, 0.9195, 0.088].map((light) => light ** (1 / 2.4)) as [number, number, number];
    const y = 0.2627 * r + 0.678 * g + 0.0593 * b;
    const chroma = (difference: number, by: number): number => Math.round(512 + (896 * difference) / by);
    const yuv = [Math.round(64 + 876 * y), chroma(b - y, 1.8814), chroma(r - y, 1.4746)] as const;
    const [red = 0, green = 0, blue = 0] = await colourOf(
      await flat('wide.mp4', yuv, tags('bt2020nc', 'bt2020', 'bt2020-10')),
    );
    assert.ok(red < 25 && green > 250 && blue < 25, `${red} ${green} ${blue}`);
  });

  it('reads untagged HD as BT.709 and untagged smaller pictures as BT.601, but prefers tags', async () => {
    const red = [250, 409, 960] as const;
    // The same red in both: its luma is 0.2126 and 0.299 of the range.
    const cases: readonly (readonly [
      string,
      readonly [number, number, number],
      readonly string[],
      string,
    ])[] = [
      ['hd.mp4', red, [], '1280x720'],
      ['sd.mp4', [326, 361, 960], [], '720x576'],
      ['tagged-sd.mp4', red, tags('bt709', 'bt709', 'bt709'), '720x576'],
      ['tagged-hd.mp4', [326, 361, 960], tags('smpte170m', 'smpte170m', 'smpte170m'), '1280x720'],
    ];
    for (const [name, yuv, options, size] of cases) {
      const [r = 0, g = 0, b = 0] = await colourOf(await flat(name, yuv, options, size));
      assert.ok(r >= 252 && g <= 3 && b <= 3, `${name}: ${r} ${g} ${b}`);
    }
  });

  it('reads full range as full range', async () => {
    const path = join(folder, 'full.avi');
    const source = ['-f', 'lavfi', '-i', 'color=0x101010:s=64x64:r=10:d=0.1,format=yuvj420p'];
    await runFfmpeg(...source, '-c:v', 'mjpeg', '-q:v', '1', `file:${path}`);
    const [value = 0] = await colourOf(path);
    assert.ok(Math.abs(value - 16) <= 2, String(value));
  });

  it('names the filters that an old ffmpeg lacks', async () => {
    const { stream } = await probeVideo(ffmpeg, fixturePath('videos/hlg-reference-white.mov'));
    const { filters, note } = await planColours(
      { ...ffmpeg, label: 'old', has: () => Promise.resolve(false) },
      stream,
    );
    assert.equal(filters, '');
    assert.match(note ?? '', /HDR.*zscale and tonemap are missing in old; .*MILLRACE_FFMPEG/);
  });
});
