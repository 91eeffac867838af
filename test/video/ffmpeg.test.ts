import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { findFfmpeg } from '../../src/video/ffmpeg.js';
import { ffmpeg } from './videos.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(folder, { recursive: true }));

describe('findFfmpeg', () => {
  const { signal } = new AbortController();

  it('takes the named one, else one on the PATH, else the packaged one', async () => {
    const named = await findFfmpeg({ MILLRACE_FFMPEG: ffmpeg.path }, signal);
    assert.equal(named.path, ffmpeg.path);
    const packaged = await findFfmpeg({ PATH: folder }, signal);
    assert.match(packaged.path, /@ffmpeg-installer/);
    assert.deepEqual(packaged.passthrough, ['-vsync', 'passthrough']);
  });

  it('says what to do when there is none that runs', async () => {
    const environment = { MILLRACE_FFMPEG: join(folder, 'nothing') };
    const expected = { name: 'VideoError', message: /ENOENT.*MILLRACE_FFMPEG$/ };
    await assert.rejects(findFfmpeg(environment, signal), expected);
  });
});
