import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { tinyModel } from '../../support/engine.js';
import { assertFails, PullRig } from './pull-rig.js';

const unet = 'unet/model.onnx';

describe('a pull from a hub that refuses', () => {
  it('waits as long as the hub asks after too many requests', async () => {
    await using rig = await PullRig.start();
    rig.hub.plan(/revision/, { kind: 'status', status: 429, headers: { 'Retry-After': '0' } });
    rig.hub.plan(/tree/, { kind: 'status', status: 429, headers: { RateLimit: '"api";r=0;t=0' } });
    rig.hub.plan(/unet\/model\.onnx$/, {
      kind: 'status',
      status: 429,
      headers: { 'Retry-After': new Date().toUTCString() },
    });
    await rig.pull(rig.hub.repo, { retryDelay: 1e9 });
    assert.equal(
      rig.notes.filter((note) => /allows no more requests for now; trying again in 0 s/.test(note)).length,
      3,
    );
  });

  it('does not wait forever', async () => {
    await using rig = await PullRig.start();
    rig.hub.plan(/revision/, { kind: 'status', status: 429, headers: { 'Retry-After': '3600' } });
    await assertFails(rig.pull(), /allows no more requests for now; try again in 60 minutes/);
    rig.hub.plan(/revision/, { kind: 'status', status: 502 }, 6);
    await assertFails(rig.pull(), /answers with status 502 \(tried 6 times\)/);
  });

  it('sends the token only to the hub, and never shows it', async () => {
    await using rig = await PullRig.start();
    rig.hub.token = 'hf_secretsecret';
    await assertFails(
      rig.pull(),
      /no model studio\/tiny at 127\.0\.0\.1:\d+ that you may read.*set HF_TOKEN to a token from/,
    );
    const wrong = { value: 'hf_wrongwrong', source: 'HF_TOKEN' };
    await assert.rejects(rig.pull(rig.hub.repo, { token: wrong }), (error) => {
      assert.match(String(error), /does not accept the token in HF_TOKEN; make a new one at/);
      assert.doesNotMatch(String(error), /hf_/);
      return true;
    });
    await rig.pull(rig.hub.repo, { token: { value: 'hf_secretsecret', source: 'HF_TOKEN' } });
    const cdn = rig.hub.requests.filter((request) => request.cdn);
    assert.ok(cdn.length > 0 && cdn.every(({ token }) => token === undefined));
    assert.doesNotMatch(rig.notes.join(), /hf_/);
  });

  it('says how to get access to a gated model', async () => {
    await using rig = await PullRig.start();
    rig.hub.gated = true;
    await assertFails(
      rig.pull(),
      /studio\/tiny is gated; ask for access at http:\S+\/studio\/tiny, then set HF_TOKEN/,
    );
    rig.hub.token = 'hf_right';
    await assertFails(rig.pull(rig.hub.repo, { token: null }), /is gated; ask for access/);
    await rig.assertNothingHalf();
    rig.hub.plan(/unet\/config\.json$/, {
      kind: 'status',
      status: 403,
      headers: { 'X-Error-Code': 'GatedRepo' },
    });
    const token = { value: 'hf_right', source: 'the token file' };
    await assertFails(
      rig.pull(rig.hub.repo, { token }),
      /is gated and your account has no access; ask for it at/,
    );
    rig.hub.plan(/unet\/config\.json$/, { kind: 'status', status: 403 });
    await assertFails(
      rig.pull(rig.hub.repo, { token }),
      /denies access to studio\/tiny; the token in the token file needs the right/,
    );
    await rig.pull(rig.hub.repo, { token });
  });

  const wrong: readonly [string, (rig: PullRig) => Promise<string>, RegExp][] = [
    ['another model', (rig) => rig.pull('studio/none'), /there is no model studio\/none at/],
    [
      'another revision',
      (rig) => rig.pull(`${rig.hub.repo}@v9`),
      /studio\/tiny has no revision "v9"; look for/,
    ],
    [
      'no ONNX files',
      (rig) => {
        rig.hub.remove(/\.onnx$/);
        return rig.pull();
      },
      /studio\/tiny has no ONNX files; export it in ops\/export with "python/,
    ],
    [
      'a part without its graph',
      (rig) => {
        rig.hub.remove(/vae_encoder\/model\.onnx$/);
        return rig.pull();
      },
      /studio\/tiny has no ONNX file in vae_encoder; export it in ops\/export/,
    ],
    [
      'another kind of model',
      (rig) => {
        rig.hub.remove(/^model_index\.json$/);
        return rig.pull();
      },
      /not a model in the diffusers layout: it has no model_index\.json/,
    ],
    [
      'a file that was removed in the meantime',
      (rig) => {
        rig.hub.plan(/unet\/model\.onnx$/, {
          kind: 'status',
          status: 404,
          headers: { 'X-Error-Code': 'EntryNotFound' },
        });
        return rig.pull();
      },
      /has changed and no longer has a file that it listed; try again/,
    ],
    [
      'no hub',
      (rig) => {
        rig.hub.plan(/revision/, { kind: 'status', status: 200 });
        return rig.pull();
      },
      /127\.0\.0\.1:\d+ does not answer as a hub does; check HF_ENDPOINT/,
    ],
    [
      'a cache below a file',
      (rig) => rig.pull(rig.hub.repo, { cache: join(tinyModel, 'model_index.json/hub') }),
      /cannot be written to \(ENOTDIR\); correct its owner/,
    ],
    [
      'a file larger than the disk',
      (rig) => {
        rig.hub.announce(unet, 1e17);
        return rig.pull();
      },
      /100000000\.\d GB are still to be downloaded, but the disk of \S+ has room for only [\d.]+ [GMk]?B; make room/,
    ],
  ];
  for (const [what, attempt, message] of wrong) {
    it(`says what is wrong in one line: ${what}`, async () => {
      await using rig = await PullRig.start();
      await assertFails(attempt(rig), message);
      await rig.assertNothingHalf();
    });
  }
});
