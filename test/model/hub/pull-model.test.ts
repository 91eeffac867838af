import assert from 'node:assert/strict';
import { lstat, mkdir, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readModelFolder } from '../../../src/model/folder.js';
import { assertFails, PullRig } from './pull-rig.js';

const unet = 'unet/model.onnx';

describe('pullModel', () => {
  it('stores the model as the tools of the hub do, without unneeded files', async () => {
    await using rig = await PullRig.start();
    const folder = await rig.pull();
    assert.equal(folder, join(rig.root, 'snapshots', rig.hub.commit));
    const { name } = await readModelFolder(folder);
    assert.equal(name, 'studio/tiny');
    assert.deepEqual(await readFile(join(folder, unet)), rig.hub.content(unet));
    const link = await readlink(join(folder, unet));
    assert.match(link, /^\.\.\/\.\.\/\.\.\/blobs\/[0-9a-f]{64}$/);
    assert.ok((await lstat(join(folder, 'unet', link))).isFile());
    assert.match(await readlink(join(folder, 'unet/config.json')), /blobs\/[0-9a-f]{40}$/);
    assert.equal(await readFile(join(rig.root, 'refs/main'), 'utf8'), rig.hub.commit);
    assert.ok(
      !rig.hub.downloads.some((path) => /safetensors|\.bin|README/.test(path)),
      rig.hub.downloads.join(),
    );
    assert.deepEqual(
      (await readdir(join(rig.root, 'blobs'))).filter((blob) => blob.includes('.')),
      [],
    );
  });

  it('downloads nothing twice, and takes no lock if the cache is complete', async () => {
    await using rig = await PullRig.start();
    await rig.pull();
    const { length } = rig.hub.downloads;
    await rm(join(rig.cache, '.locks'), { recursive: true });
    await rig.pull(`${rig.hub.repo}@v1`);
    await rig.pull(`${rig.hub.repo}@${rig.hub.commit}`);
    assert.equal(rig.hub.downloads.length, length);
    assert.equal(await readFile(join(rig.root, 'refs/v1'), 'utf8'), rig.hub.commit);
    await assert.rejects(stat(join(rig.root, 'refs', rig.hub.commit)));
    await assert.rejects(stat(join(rig.cache, '.locks')));
  });

  it('uses files that Python tools have already downloaded', async () => {
    await using rig = await PullRig.start();
    const folder = await rig.pull();
    await rm(join(folder, unet));
    const { length } = rig.hub.downloads;
    await rig.pull();
    assert.equal(rig.hub.downloads.length, length);
    assert.deepEqual(await readFile(join(folder, unet)), rig.hub.content(unet));
  });

  it('continues where the connection broke off', async () => {
    await using rig = await PullRig.start();
    rig.hub.plan(/unet\/model\.onnx$/, { kind: 'cut', after: 500_000 });
    rig.hub.plan(/unet\/model\.onnx$/, { kind: 'cut', after: 300_000 });
    const folder = await rig.pull();
    assert.deepEqual(await readFile(join(folder, unet)), rig.hub.content(unet));
    const ranges = rig.hub.requests
      .filter(({ path, cdn }) => cdn && path.endsWith(unet))
      .map(({ range }) => range);
    assert.equal(ranges.length, 3);
    const starts = ranges.map((range) => Number(/^bytes=(\d+)-$/.exec(range ?? 'bytes=0-')?.[1]));
    assert.equal(starts[0], 0);
    assert.ok(starts[1] > 0 && starts[1] <= 500_000 && starts[2] > starts[1], starts.join());
    assert.match(rig.notes[0] ?? '', /closed the connection early.*; trying again in 1 s/);
  });

  it('gives up on a file that makes no progress and continues it in a later run', async () => {
    await using rig = await PullRig.start();
    rig.hub.plan(/unet\/model\.onnx$/, { kind: 'cut', after: 500_000 });
    let opened = 0;
    rig.hub.plan(
      { test: (path) => path.includes('/resolve/') && path.endsWith(unet) && opened++ > 0 },
      { kind: 'status', status: 503 },
      20,
    );
    await assertFails(
      rig.pull(),
      /answers with status 503 \(tried 6 times\); try again later: downloaded data is kept/,
    );
    await rig.assertNothingHalf();
    await rig.restart();
    const { size } = await stat(join(rig.root, 'blobs', `${rig.hub.checksum(unet)}.incomplete`));
    assert.ok(size > 0);
    const folder = await rig.pull();
    const first = rig.hub.requests.find(({ path, cdn }) => cdn && path.endsWith(unet));
    assert.equal(first?.range, `bytes=${size}-`);
    assert.deepEqual(await readFile(join(folder, unet)), rig.hub.content(unet));
  });

  it('starts over if the server ignores Range, and discards a partial file that is too long', async () => {
    await using rig = await PullRig.start();
    await mkdir(join(rig.root, 'blobs'), { recursive: true });
    await writeFile(join(rig.root, 'blobs', `${rig.hub.checksum(unet)}.incomplete`), Buffer.alloc(3));
    const text = 'text_encoder/model.onnx';
    const long = Buffer.alloc(rig.hub.content(text).length + 1);
    await writeFile(join(rig.root, 'blobs', `${rig.hub.checksum(text)}.incomplete`), long);
    rig.hub.plan(/unet\/model\.onnx$/, { kind: 'whole' });
    const folder = await rig.pull();
    assert.deepEqual(await readFile(join(folder, unet)), rig.hub.content(unet));
    assert.deepEqual(await readFile(join(folder, text)), rig.hub.content(text));
  });

  it('tries again when the hub falls silent', async () => {
    await using rig = await PullRig.start();
    rig.hub.plan(/unet\/model\.onnx$/, { kind: 'stall', after: 1000 });
    rig.hub.plan(/unet\/config\.json$/, { kind: 'stall', after: 10 });
    const folder = await rig.pull(rig.hub.repo, { timeout: 1000 });
    assert.deepEqual(await readFile(join(folder, unet)), rig.hub.content(unet));
    // A busy machine may be silent at other times too.
    assert.ok(rig.notes.filter((note) => /was silent for 1 s/.test(note)).length >= 2);
  });

  it('tries again if a response is too short', async () => {
    await using rig = await PullRig.start();
    rig.hub.plan(/unet\/model\.onnx$/, { kind: 'short', after: 1000 });
    await rig.pull();
    assert.match(rig.notes.join(), /only 1000 of \d+ bytes of unet\/model\.onnx arrived/);
  });

  for (const path of [unet, 'unet/config.json']) {
    it(`removes a damaged download and fetches it again: ${path}`, async () => {
      await using rig = await PullRig.start();
      rig.hub.plan(new RegExp(`${path}$`), { kind: 'damage' });
      const folder = await rig.pull();
      assert.deepEqual(await readFile(join(folder, path)), rig.hub.content(path));
    });

    it(`gives up on a file that arrives damaged twice, and keeps none of it: ${path}`, async () => {
      await using rig = await PullRig.start();
      rig.hub.plan(new RegExp(`${path}$`), { kind: 'damage' }, 2);
      await assertFails(rig.pull(), /arrives damaged: its checksum is \w+, not \w+; it was removed/);
      await rig.assertNothingHalf();
      assert.ok(!(await readdir(join(rig.root, 'blobs'))).includes(`${rig.hub.checksum(path)}.incomplete`));
    });
  }

  it('uses the cached version without a network, and says so', async () => {
    await using rig = await PullRig.start();
    const folder = await rig.pull();
    assert.equal(await rig.pull(rig.hub.repo, { offline: true }), folder);
    assert.match(
      rig.notes.join(),
      /HF_HUB_OFFLINE is set; using studio\/tiny from the cache, commit c0ffee00/,
    );
    await rig.hub[Symbol.asyncDispose]();
    for (const id of [rig.hub.repo, `${rig.hub.repo}@${rig.hub.commit}`])
      assert.equal(await rig.pull(id), folder);
    assert.match(
      rig.notes.at(-1) ?? '',
      /cannot be reached \(connection refused\); using studio\/tiny from the cache, commit c0ff/,
    );
    await assertFails(
      rig.pull(`${rig.hub.repo}@v1`, { offline: true }),
      /is not in .*; unset it once to download/,
    );
    await assertFails(
      rig.pull(`${rig.hub.repo}@v1`),
      /cannot be reached \(connection refused\) \(tried 6 times\)/,
    );
  });

  it('keeps a partial file when interrupted, and continues it', async () => {
    await using rig = await PullRig.start();
    const interrupt = new AbortController();
    rig.hub.plan(/unet\/model\.onnx$/, { kind: 'stall', after: 700_000 });
    const pulling = rig.pull(rig.hub.repo, {}, interrupt.signal);
    const partial = join(rig.root, 'blobs', `${rig.hub.checksum(unet)}.incomplete`);
    while (((await stat(partial).catch(() => null))?.size ?? 0) < 500_000) await new Promise(setImmediate);
    interrupt.abort();
    await assert.rejects(pulling, /abort/i);
    await rig.assertNothingHalf();
    const folder = await rig.pull();
    assert.deepEqual(await readFile(join(folder, unet)), rig.hub.content(unet));
    const requests = rig.hub.requests.filter(({ path, cdn }) => cdn && path.endsWith(unet));
    assert.match(requests.at(-1)?.range ?? '', /^bytes=[5-7]\d{5}-$/);
  });

  it('downloads each file once if two pulls run at the same time', async () => {
    await using rig = await PullRig.start();
    rig.hub.plan(/unet\/model\.onnx$/, { kind: 'cut', after: 500_000 });
    const [a, b] = await Promise.all([rig.pull(), rig.pull()]);
    assert.equal(a, b);
    assert.match(rig.notes.join(), /another process is pulling studio\/tiny; waiting for it/);
    const wanted = new Set(rig.hub.downloads);
    assert.equal(rig.hub.downloads.length, wanted.size + 1, 'one more, for the cut connection');
  });
});
