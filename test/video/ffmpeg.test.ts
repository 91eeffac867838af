import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { FfmpegProcess } from '../../src/video/ffmpeg-process.js';
import { findFfmpeg } from '../../src/video/ffmpeg.js';
import { ffmpeg, runFfmpeg } from './videos.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(folder, { recursive: true }));

describe('findFfmpeg', () => {
  const { signal } = new AbortController();

  it('uses the named program, else one on the PATH, else the packaged one', async () => {
    const program = join(folder, 'ffmpeg');
    await writeFile(program, '#!/bin/sh\necho "-fps_mode  as new ones have it"\n', { mode: 0o755 });
    const named = await findFfmpeg({ MILLRACE_FFMPEG: program, PATH: '' }, signal);
    assert.deepEqual([named.command, named.label], [[program], program]);
    assert.deepEqual((await findFfmpeg({ PATH: folder }, signal)).command, [program]);
    const packaged = await findFfmpeg({ PATH: join(folder, 'nowhere') }, signal);
    assert.equal(packaged.command[0], process.execPath);
    assert.equal(packaged.label, 'the ffmpeg that comes with Millrace');
    assert.deepEqual(packaged.passthrough, ['-fps_mode', 'passthrough']);
  });

  it('uses the old option names for old versions and detects missing filters', async () => {
    const program = join(folder, 'old');
    await writeFile(program, '#!/bin/sh\necho " T.. scale  V->V"\n', { mode: 0o755 });
    const old = await findFfmpeg({ MILLRACE_FFMPEG: program }, signal);
    assert.deepEqual(old.passthrough, ['-vsync', 'passthrough']);
    assert.deepEqual([await old.has('filters', 'scale'), await old.has('filters', 'zscale')], [true, false]);
  });

  it('packages a recent version with the filters for colours and times', async () => {
    for (const name of ['zscale', 'tonemap']) assert.ok(await ffmpeg.has('filters', name), name);
    assert.ok(await ffmpeg.has('bsfs', 'setts'));
    const [, year] = /Copyright \(c\) 2000-(\d+)/.exec(await runFfmpeg('-version')) ?? [];
    assert.ok(Number(year) >= 2021);
  });

  it('reports a crash of the packaged program', async () => {
    // Encoding VP9 crashes it (ffmpeg.wasm, issue 679), so it is not used for VP9.
    const source = ['-f', 'lavfi', '-i', 'testsrc=s=128x96:r=10:d=1'];
    const args = [...source, '-c:v', 'libvpx-vp9', '-y', `file:${join(folder, 'vp9.webm')}`];
    await using process = new FfmpegProcess(ffmpeg, args, ['ignore', 'ignore', 'pipe']);
    await assert.rejects(process.finished, {
      name: 'VideoError',
      message: /comes with Millrace crashed .*MILLRACE_FFMPEG/,
    });
  });

  it('says what to do if no program runs', async () => {
    const environment = { MILLRACE_FFMPEG: join(folder, 'nothing') };
    const expected = { name: 'VideoError', message: /ENOENT.*MILLRACE_FFMPEG$/ };
    await assert.rejects(findFfmpeg(environment, signal), expected);
  });
});
