import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { encodeImage } from '../../../src/image/encode.js';
import { openInput } from '../../../src/cli/run/open-input.js';
import { openOutput } from '../../../src/cli/run/open-output.js';
import { probeVideo } from '../../../src/video/probe.js';
import { main } from '../../support/command.js';
import { testImage, tinyModel } from '../../support/engine.js';
import { ffmpeg, fixturePath } from '../../video/videos.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

/** Runs with the tiny model and the packaged ffmpeg, and this on standard input. */
async function run(args: readonly string[], input: Uint8Array) {
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
    const { code, stdout, stderr } = await run(
      ['-', ...form, '-p', 'oil', '-o', '-', '--output-format', 'rawvideo'],
      input,
    );
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^"oil": .+\n-: 3 frames, \S+ a second\n$/, 'and nothing about devices');
    const pixels = stdout.length / frames / 3;
    assert.ok(Number.isInteger(pixels));
    // No side may be below 64.
    assert.equal(pixels, 80 * 64);
  });

  it('takes a picture and gives a video file that can be played from a pipe', async () => {
    const jpeg = await encodeImage(testImage(1, { width: 64, height: 64 }), 'jpeg', 90);
    const { code, stdout, stderr } = await run(['-', '-p', 'oil', '-o', '-'], jpeg);
    assert.equal(code, 0, stderr);
    await writeFile(at('piped.mkv'), stdout);
    const { frames, stream } = await probeVideo(ffmpeg, at('piped.mkv'));
    assert.deepEqual([frames, stream.codec, stream.width], [1, 'h264', 64]);
  });

  it('says in one line what is wrong with standard input and output', async () => {
    const none = new Uint8Array();
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['-', '-o', at('a.mp4'), '-p', 'x'], /standard input: no frame can be decoded/],
      [
        ['-', '-o', '-', '-p', 'x', '--output-format', 'avi'],
        /--output-format must be one of rawvideo, matroska/,
      ],
      [
        ['-', '-o', at('a.mp4'), '-p', 'x', '--output-format', 'nut'],
        /--output-format is for standard output/,
      ],
      [
        ['rtsp://127.0.0.1/a', '-o', at('a.mp4'), '-p', 'x'],
        /rtsp\S+ cannot be opened: .*install a recent ffmpeg/,
      ],
      [[fixturePath('images/tower.jpg'), '-o', at('a.png')], /what should it look like\? Add --prompt/],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await run(args, none);
      assert.equal(code, 1, stderr);
      assert.match(stderr.trimEnd(), /^millrace: .+$/);
      assert.match(stderr, message);
      assert.equal(stdout.length, 0);
    }
    assert.ok(!(await readdir(folder)).includes('a.mp4'));
  });
});

describe('Ctrl-C', () => {
  /** Starts a run that takes long, and interrupts it when the first picture is there. */
  async function interrupt(name: string, times: number) {
    const args = [
      'run',
      fixturePath('videos/walkers.mp4'),
      '-o',
      at(name),
      '-p',
      'oil painting',
      '--steps',
      '10',
    ];
    const env = { ...process.env, XDG_CACHE_HOME: at('cache'), PATH: folder };
    const child = spawn(process.execPath, [main, ...args, '--json'], { env });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const written = async (): Promise<boolean> =>
      (await readdir(folder, { recursive: true })).some((path) => path.endsWith('000001.jpg'));
    while (!(await written()) && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 20));
    const ended = new Promise((resolve) => child.once('close', resolve));
    for (let time = 0; time < times; time++) {
      child.kill('SIGINT');
      while (time === 0 && !stderr.includes('finishing'))
        await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return { code: await ended, stdout, stderr };
  }

  it('finishes the output with what there is, and says so', async () => {
    const { code, stdout, stderr } = await interrupt('some', 1);
    assert.equal(code, 130, stderr);
    assert.match(stderr, /finishing with the frames so far; Ctrl-C again discards them/);
    const report = JSON.parse(stdout) as Readonly<Record<string, unknown>>;
    assert.equal(report['interrupted'], true);
    const pictures = await readdir(at('some'));
    assert.equal(pictures.length, report['frames_out']);
    assert.ok(pictures.length < 40, `${pictures.length}`);
  });

  it('twice leaves nothing behind', async () => {
    const before = await readdir(folder);
    const { code, stdout } = await interrupt('none', 2);
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
  assert.ok(seconds > 0.95 && seconds < 1.2, `${seconds}`);
  assert.ok(!(await readdir(folder)).some((name) => name.startsWith('.millrace-')));
});
