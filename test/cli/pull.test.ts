import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { decodeImage } from '../../src/image/decode.js';
import { tower } from '../image/pictures.js';
import { main, runMillrace, start, startMillrace, type Ended } from '../support/command.js';
import { tinyModel } from '../support/engine.js';
import { HubServer } from '../support/hub-server.js';
import { startServer } from '../support/server-process.js';
import { StreamClient } from '../support/stream-client.js';

const unet = 'unet/model.onnx';
let hub: HubServer;
let home: string;
let homes = 0;

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'millrace-pull-'));
  hub = await HubServer.start(tinyModel);
  // Child processes inherit these; an empty value counts as unset.
  Object.assign(process.env, {
    HF_ENDPOINT: hub.url,
    HF_HOME: home,
    HF_HUB_OFFLINE: '',
    HF_TOKEN: '',
    HUGGING_FACE_HUB_TOKEN: '',
    HF_HUB_CACHE: '',
    HUGGINGFACE_HUB_CACHE: '',
  });
});
after(async () => {
  await hub[Symbol.asyncDispose]();
  await rm(home, { recursive: true });
});

function millrace(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return startMillrace(args, environment).ended;
}

/** Runs a command in this process, with these environment variables. */
async function millraceHere(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Omit<Ended, 'signal'>> {
  const before = Object.keys(environment).map((name) => [name, process.env[name] ?? ''] as const);
  Object.assign(process.env, environment);
  try {
    return await runMillrace(args);
  } finally {
    Object.assign(process.env, Object.fromEntries(before));
  }
}

/** Returns the path of a new home for the hub's tools, which does not exist yet. */
function freshHome(): string {
  homes += 1;
  return join(home, `home-${homes}`);
}

const rootOf = (home: string): string => join(home, 'hub/models--studio--tiny');

async function until(condition: () => Promise<boolean>, child: ChildProcess): Promise<void> {
  while (!(await condition())) {
    assert.equal(child.exitCode, null, 'it exited early');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('millrace pull', () => {
  it('prints the folder, and the server generates with the model from the hub', async () => {
    hub.plan(/unet\/model\.onnx$/, { kind: 'cut', after: 400_000 });
    const { code, stdout, stderr } = await millrace(['pull', 'studio/tiny']);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, `${join(rootOf(home), 'snapshots', hub.commit)}\n`);
    assert.match(stderr, /^unet\/model\.onnx \([\d.]+ MB\)$/m);
    assert.match(stderr, /^127\.0\.0\.1:\d+ closed the connection early .*; trying again in 1 s$/m);

    await using server = await startServer('--model', 'studio/tiny', '--cache-directory', '');
    await using client = await StreamClient.open(`${server.url.replace('http', 'ws')}/v1/stream`, {
      prompt: 'a (red:1.3) tower',
      width: 64,
      height: 64,
    });
    assert.equal((await client.first('ready')).model, 'studio/tiny');
    const result = await client.generate(0, tower);
    assert.ok(result.type === 'result');
    const { width, height } = await decodeImage(result.data, { maxPixels: 1 << 16 });
    assert.deepEqual([width, height], [64, 64]);
  });

  it('is part of run: one command from a model id to pictures, with or without a network', async () => {
    const own = freshHome();
    const out = join(home, 'out.png');
    await writeFile(join(home, 'in.jpg'), tower);
    const run = ['run', join(home, 'in.jpg'), '-o', out, '-y', '-p', 'a tower', '--size', '64x64'];
    const model = ['--model', `studio/tiny@${hub.commit}`];
    for (const offline of ['0', '1']) {
      const environment = { HF_HOME: own, HF_HUB_OFFLINE: offline, MILLRACE_CACHE_DIRECTORY: '' };
      const { code, stderr } = await millrace([...run, ...model], environment);
      assert.equal(code, 0, stderr);
      if (offline === '1') assert.match(stderr, /HF_HUB_OFFLINE is set; using studio\/tiny from the cache/);
      assert.ok((await stat(out)).size > 0);
    }
  });

  it('uses the token file of other tools', async () => {
    hub.token = 'hf_secretsecret';
    const own = freshHome();
    await mkdir(own);
    await writeFile(join(own, 'token'), 'hf_secretsecret\n');
    const { code, stdout, stderr } = await millrace(['pull', 'studio/tiny', '--revision', 'v1'], {
      HF_HOME: own,
    });
    hub.token = null;
    assert.equal(code, 0, stderr);
    assert.ok(!(stdout + stderr).includes('secret'));
  });

  const wrong: readonly [readonly string[], Readonly<Record<string, string>>, RegExp][] = [
    [['pull', 'tiny'], {}, /^millrace: "tiny" is not a model id; give organisation\/name/],
    [['pull', 'studio/tiny@a', '--revision', 'b'], {}, /name two revisions/],
    [['pull', 'studio/tiny@../x'], {}, /"\.\.\/x" is not a revision/],
    [['pull', 'studio/none'], {}, /there is no model studio\/none at 127/],
    [['serve', '--port', '0', '--model', 'studio/none'], {}, /there is no model studio\/none at 127/],
    [
      ['run', 'x.jpg', '-o', 'y.jpg', '-p', 'z', '--model', 'studio/none'],
      {},
      /there is no model studio\/none/,
    ],
    [
      ['pull', 'studio/tiny'],
      { HF_ENDPOINT: 'nowhere' },
      /HF_ENDPOINT is "nowhere", which is not a web address/,
    ],
    [
      ['pull', 'studio/tiny'],
      { HF_HUB_DOWNLOAD_TIMEOUT: 'long' },
      /HF_HUB_DOWNLOAD_TIMEOUT is "long"; it must be/,
    ],
    [
      ['pull', 'studio/tiny'],
      { HF_TOKEN: 'hf_a b' },
      /the token in HF_TOKEN has characters that tokens cannot have/,
    ],
    [
      ['pull', 'studio/tiny'],
      { HF_HUB_OFFLINE: '1' },
      /HF_HUB_OFFLINE is set, and studio\/tiny \(main\) is not in/,
    ],
  ];
  for (const [args, environment, message] of wrong) {
    it(`says what is wrong in one line: ${[...args, ...Object.values(environment)].join(' ')}`, async () => {
      // The server listens to signals until its process ends.
      const run = args[0] === 'serve' ? millrace : millraceHere;
      const { code, stdout, stderr } = await run(args, { HF_HOME: freshHome(), ...environment });
      assert.equal(code, 1);
      assert.equal(stdout, '');
      assert.match(stderr, message);
      assert.match(stderr, /^millrace: [^\n]+\n$/);
    });
  }

  it(
    'exits when the disk is full, and frees the space it used',
    { skip: process.platform === 'win32' },
    async () => {
      const own = freshHome();
      // Files above 1 MiB cannot be written; the process ignores the signal that reports this.
      const limited = `ulimit -f 1024; exec "${process.execPath}" "${main}" pull studio/tiny`;
      const ignoreSignal = "--import=data:text/javascript,process.on('SIGXFSZ',()=>{})";
      const environment = { HF_HOME: own, NODE_OPTIONS: ignoreSignal };
      const { code, stderr } = await start('bash', ['-c', limited], environment).ended;
      assert.equal(code, 1);
      assert.match(stderr, /^millrace: the disk of \S+ is full \(EFBIG\); make room, or choose another.*$/m);
      const blobs = await readdir(join(rootOf(own), 'blobs'));
      assert.ok(!blobs.some((name) => name.startsWith(hub.checksum(unet))), blobs.join());
      await assert.rejects(stat(join(rootOf(own), 'snapshots')));
    },
  );

  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    it(`continues after ${signal}`, async () => {
      const own = freshHome();
      hub.plan(/unet\/model\.onnx$/, { kind: 'stall', after: 600_000 });
      const { child, ended } = startMillrace(['pull', 'studio/tiny'], { HF_HOME: own });
      const partial = join(rootOf(own), 'blobs', `${hub.checksum(unet)}.incomplete`);
      const size = (): Promise<number> =>
        stat(partial).then(
          ({ size }) => size,
          () => 0,
        );
      await until(async () => (await size()) >= 600_000, child);
      child.kill(signal);
      const { code, stderr } = await ended;
      if (signal === 'SIGINT') {
        assert.equal(code, 130);
        assert.match(stderr, /^millrace: interrupted; run the same command again to resume$/m);
      } else {
        // A lock expires after ten seconds.
        const lock = join(own, 'hub/.locks/models--studio--tiny/millrace.lock');
        await utimes(lock, 0, 0);
      }
      const requests = hub.requests.length;
      const again = await millrace(['pull', 'studio/tiny'], { HF_HOME: own });
      assert.equal(again.code, 0, again.stderr);
      const ranges = hub.requests.slice(requests).filter(({ cdn, path }) => cdn && path.endsWith(unet));
      assert.deepEqual(
        ranges.map(({ range }) => range),
        ['bytes=600000-'],
      );
    });
  }

  it('waits for another process that pulls the same model', async () => {
    const own = freshHome();
    hub.plan(/unet\/model\.onnx$/, { kind: 'stall', after: 1000 });
    const environment = { HF_HOME: own, HF_HUB_DOWNLOAD_TIMEOUT: '2' };
    const first = startMillrace(['pull', 'studio/tiny'], environment);
    const lock = join(own, 'hub/.locks/models--studio--tiny/millrace.lock');
    await until(
      () =>
        stat(lock).then(
          () => true,
          () => false,
        ),
      first.child,
    );
    const second = await millrace(['pull', 'studio/tiny'], environment);
    assert.match(second.stderr, /^another process is pulling studio\/tiny; waiting for it$/m);
    assert.deepEqual([second.code, (await first.ended).code], [0, 0]);
    assert.doesNotMatch(second.stderr, /unet\/model\.onnx/);
  });
});
