import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Interrupts } from '../../../src/cli/interruptible.js';
import { encodeImage } from '../../../src/image/encode.js';
import { openInput } from '../../../src/cli/run/open-input.js';
import { openOutput } from '../../../src/cli/run/open-output.js';
import { run } from '../../../src/cli/run/run.js';
import { probeVideo } from '../../../src/video/probe.js';
import { main, startMillrace, type Ended } from '../../support/command.js';
import { measuredOnce, testImage, tinyModel } from '../../support/engine.js';
import { startServer } from '../../support/server.js';
import { ffmpeg, fixturePath } from '../../video/videos.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

/** Runs with the tiny model and the packaged ffmpeg, and this on standard input. */
async function pipe(args: readonly string[], input: Uint8Array) {
  const env = { ...process.env, XDG_CACHE_HOME: at('cache'), PATH: folder };
  const child = spawn(process.execPath, [main, 'run', ...args, '--model', tinyModel], { env });
  const chunks: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { code, stdout: Buffer.concat(chunks), stderr };
}

describe('millrace run between other programs', () => {
  it('takes raw video and gives raw video, frame for frame, in the shape of the input', async () => {
    const frames = 3;
    const input = new Uint8Array(frames * 96 * 64 * 3).fill(90);
    const form = ['--input-format', 'rawvideo', '--input-size', '96x64'];
    const { code, stdout, stderr } = await pipe(
      ['-', ...form, '-p', 'oil', '-o', '-', '--output-format', 'rawvideo'],
      input,
    );
    assert.equal(code, 0, stderr);
    assert.match(
      stderr,
      /^"oil": .+\nstandard output: 3 frames, \S+ a second\n$/,
      'and nothing about devices',
    );
    const pixels = stdout.length / frames / 3;
    assert.ok(Number.isInteger(pixels));
    // No side may be below 64.
    assert.equal(pixels, 80 * 64);
  });

  it('takes a picture and gives a video file that can be played from a pipe', async () => {
    const jpeg = await encodeImage(testImage(1, { width: 64, height: 64 }), 'jpeg', 90);
    const { code, stdout, stderr } = await pipe(['-', '-p', 'oil', '-o', '-'], jpeg);
    assert.equal(code, 0, stderr);
    await writeFile(at('piped.mkv'), stdout);
    const { frames, stream } = await probeVideo(ffmpeg, at('piped.mkv'));
    assert.deepEqual([frames, stream.codec, stream.width], [1, 'h264', 64]);
  });
});

describe('what run refuses before its engine starts', () => {
  const { signal } = new AbortController();
  const usual = { ffmpeg: () => Promise.resolve(ffmpeg), rate: { numerator: 25, denominator: 1 }, signal };

  it('is a stream without an ffmpeg that has the network', async () => {
    for (const url of ['rtsp://ann:secret@127.0.0.1/a', 'srt://127.0.0.1:1']) {
      const message = /^(?:rtsp:\/\/ann:\*{3}@|srt:\/\/)127\S+ cannot be opened: .*install a recent ffmpeg/;
      await assert.rejects(openInput(url, usual), { name: 'VideoError', message });
    }
    const input = await openInput(fixturePath('images/tower.jpg'), usual);
    const output = openOutput('rtmp://127.0.0.1/a', {
      ...usual,
      input,
      overwrite: false,
      crf: null,
      quality: 90,
    });
    await assert.rejects(output, { message: /^rtmp\S+ cannot be opened: .*install a recent ffmpeg/ });
  });

  it('is a format that standard output cannot have, and one for a file', async () => {
    const input = await openInput(fixturePath('images/tower.jpg'), usual);
    const common = { ...usual, input, overwrite: false, crf: null, quality: 90 };
    await assert.rejects(openOutput('-', { ...common, format: 'avi' }), {
      message: /--output-format must be one of rawvideo, matroska, .*, not avi/,
    });
    await assert.rejects(openOutput(at('a.mp4'), { ...common, format: 'nut' }), {
      message: /--output-format is for standard output/,
    });
    for (const pattern of ['%d-%d.png', '*.png', '%d.mp4']) {
      await assert.rejects(openOutput(at(pattern), common), {
        message: /must have one %d, such as %04d, and end in/,
      });
    }
  });

  it('is a run that nobody has said anything about', async () => {
    const options = { output: at('a.png'), quality: '90', model: tinyModel };
    await assert.rejects(run(fixturePath('images/tower.jpg'), options, signal, new Interrupts()), {
      name: 'RunError',
      message: /--prompt is missing: add it, a --look with one/,
    });
    const timeline = at('late.yaml');
    await writeFile(timeline, '0:05: oil');
    await assert.rejects(
      run(fixturePath('images/tower.jpg'), { ...options, timeline }, signal, new Interrupts()),
      {
        message: /a --timeline that begins at 0:00/,
      },
    );
  });
});

it('a run that fails after its first frame leaves no reader behind', async () => {
  // A server that knows its parameters, and then is gone.
  let capabilities = '';
  {
    await using real = await startServer();
    capabilities = await (await fetch(`${real.url}/v1/capabilities`)).text();
  }
  const server = createServer((_, response) => response.end(capabilities)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const options = {
    output: at('b.gif'),
    quality: '90',
    prompt: 'oil',
    inputFormat: 'lavfi',
    server: `http://127.0.0.1:${port}`,
  };
  const found = run(
    'testsrc2=size=64x64:rate=25',
    { ...options, live: false },
    new AbortController().signal,
    new Interrupts(),
  );
  await assert.rejects(found, { name: 'MillraceError' });
  server.close();
  server.closeAllConnections();
  // A reader that is alive would keep this process from its end.
});

describe('Ctrl-C', () => {
  /** Starts a run that takes long, and interrupts it when the first picture is there. */
  async function interrupt(name: string, isTwice: boolean): Promise<Ended> {
    const endless = ['testsrc2=size=64x64:rate=25', '--input-format', 'lavfi', '--no-live'];
    // Slow enough that frames are under way at the second signal.
    const args = ['run', ...endless, '-o', at(name), '-p', 'oil painting', '--steps', '10'];
    const { child, ended } = startMillrace([...args, '--json'], {
      MILLRACE_CACHE_DIRECTORY: measuredOnce.cacheDirectory,
      MILLRACE_CALIBRATION: measuredOnce.calibration,
      PATH: folder,
    });
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const written = async (): Promise<boolean> =>
      (await readdir(folder, { recursive: true })).some((path) => /^\.millrace.*000001\.jpg$/.test(path));
    while (!(await written()) && child.exitCode === null) await pause(20);
    child.kill('SIGINT');
    while (child.exitCode === null && !said.includes('finishing')) await pause(5);
    if (isTwice) child.kill('SIGINT');
    return ended;
  }

  it('finishes the output with what there is, and says so', async () => {
    const { code, stdout, stderr } = await interrupt('some', false);
    assert.equal(code, 130, stderr);
    assert.match(stderr, /finishing with the frames so far; Ctrl-C again discards them/);
    const report = JSON.parse(stdout) as Readonly<Record<string, unknown>>;
    assert.equal(report['interrupted'], true);
    const pictures = await readdir(at('some'));
    assert.equal(pictures.length, report['frames_out']);
    assert.ok(pictures.length > 0);
  });

  it('twice leaves nothing behind', async () => {
    const before = await readdir(folder);
    const { code, stdout } = await interrupt('none', true);
    assert.deepEqual([code, stdout], [130, '']);
    assert.deepEqual((await readdir(folder)).toSorted(), before.toSorted());
  });
});

it('a video that was interrupted has its sound up to the last frame', async () => {
  const options = { ffmpeg: () => Promise.resolve(ffmpeg), rate: { numerator: 25, denominator: 1 } };
  const input = await openInput(fixturePath('videos/walkers.mp4'), options);
  const common = { ...options, input, overwrite: false, crf: null, quality: 90 };
  await using output = await openOutput(at('cut.mp4'), common);
  let frames = 0;
  for await (const { image, time, name } of input.frames()) {
    await output.write(image, { time, name });
    frames += 1;
    if (frames === 10) break;
  }
  await output.finish(true);
  const video = await probeVideo(ffmpeg, at('cut.mp4'));
  assert.equal(video.frames, 10);
  assert.deepEqual(
    video.tracks.map(({ type }) => type),
    ['audio'],
  );
  const bytes = await readFile(at('cut.mp4'));
  // The header of the movie (ISO/IEC 14496-12, 8.2.2) has its duration, the longest of all tracks.
  const header = bytes.indexOf('mvhd') + 16;
  const seconds = bytes.readUInt32BE(header + 4) / bytes.readUInt32BE(header);
  assert.ok(seconds > 0.95 && seconds < 1.2, `it lasts ${seconds} seconds`);
});
