import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import { after, describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { Input } from '../../../src/cli/run/input.js';
import { openInput } from '../../../src/cli/run/open-input.js';
import { openOutput } from '../../../src/cli/run/open-output.js';
import { findFfmpeg, type Ffmpeg } from '../../../src/video/ffmpeg.js';
import { probeVideo } from '../../../src/video/probe.js';
import { findProgram } from '../../ops/programs.js';
import { freePort } from '../../support/free-port.js';
import { RtspCamera } from '../../support/rtsp-camera.js';

const { path: program, skip } = findProgram('ffmpeg', 'MILLRACE_FFMPEG');
const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(folder, { recursive: true }));
const { signal } = new AbortController();
const ffmpeg = (): Promise<Ffmpeg> => findFfmpeg({ MILLRACE_FFMPEG: program }, signal);
/** Milliseconds until a test counts as hung: programs may wait for each other. */
const timeout = 60_000;
const rate = { numerator: 10, denominator: 1 };
const open = (path: string): Promise<Input> =>
  openInput(path, { ffmpeg, rate, signal, scratch: () => Promise.resolve(folder) });

/** Ten pictures of a tenth of a second, in H.264. */
const clip =
  '-f lavfi -i testsrc2=size=64x48:rate=10:duration=1 -c:v libx264 -preset ultrafast -pix_fmt yuv420p'.split(
    ' ',
  );

function start(...args: string[]): ChildProcess {
  const child = spawn(program, ['-nostdin', '-v', 'error', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  after(() => void child.kill('SIGKILL'));
  return child;
}

async function sizesOf(input: Input): Promise<string[]> {
  const sizes: string[] = [];
  for await (const { image } of input.frames()) sizes.push(`${image.width}x${image.height}`);
  return sizes;
}

const tenFrames = Array.from({ length: 10 }, () => '64x48');

/** Frames for an output, as from an input at this rate. */
async function send(target: string, frames: number): Promise<void> {
  const input = { kind: 'video', path: '', total: frames, isLive: true, video: null, last: null } as const;
  const about = { ...input, timebase: { numerator: 1, denominator: 10 }, rate, passedOver: [] };
  const source: Input = { ...about, frames: () => Promise.reject(new Error('not read')) as never };
  const common = { ffmpeg, overwrite: false, crf: null, quality: 90 };
  await using output = await openOutput(target, { input: source, ...common });
  const image = { width: 64, height: 48, data: new Uint8Array(64 * 48 * 3).fill(99) };
  for (let time = 0; time < frames; time++) await output.write(image, { time, name: null });
  await output.finish();
}

/** Waits until ffmpeg listens: a connection would use it up. */
async function untilListening(port: number): Promise<void> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  while (!(await readFile('/proc/net/tcp', 'utf8')).includes(`:${hex} 00000000:0000 0A`)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('streams of the network', { skip: process.platform === 'linux' ? skip : 'reads /proc/net' }, () => {
  it('RTMP is read to its end, live', { timeout }, async () => {
    const port = await freePort();
    const url = `rtmp://127.0.0.1:${port}/live/a`;
    start(...clip, '-f', 'flv', '-listen', '1', url);
    await untilListening(port);
    const input = await open(url);
    assert.deepEqual([input.isLive, input.total], [true, null]);
    assert.deepEqual(await sizesOf(input), tenFrames);
  });

  it('RTSP is read from a camera with a password, live', { timeout }, async () => {
    const film = (): Readable => {
      const { stdout } = spawn(program, ['-nostdin', '-v', 'error', ...clip, '-f', 'mpegts', '-'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      return stdout;
    };
    await using camera = await RtspCamera.start(film, 'ann:secret');
    const input = await open(`rtsp://ann:secret@127.0.0.1:${camera.port}/1`);
    assert.deepEqual([input.isLive, input.total], [true, null]);
    const sizes = await sizesOf(input);
    // The end of the connection may cut the last one off.
    assert.ok(sizes.length >= 9, `${sizes.length}`);
    assert.deepEqual([...new Set(sizes)], ['64x48']);
    await assert.rejects(sizesOf(await open(`rtsp://ann:wrong@127.0.0.1:${camera.port}/1`)), {
      message: /^rtsp:\/\/ann:\*{3}@127\.0\.0\.1:\d+\/1: no frame can be read: .*401/,
    });
  });

  for (const [scheme, listen] of [
    ['rtmp', ['-listen', '1']],
    ['rtsp', ['-rtsp_flags', 'listen', '-listen_timeout', '60']],
  ] as const) {
    it(`${scheme.toUpperCase()} is written`, { timeout }, async () => {
      const port = await freePort();
      const url = `${scheme}://127.0.0.1:${port}/live/a`;
      const copy = join(folder, `${scheme}.mkv`);
      const listener = start(...listen, '-i', url, '-c', 'copy', copy);
      const ended = once(listener, 'exit');
      await untilListening(port);
      await send(url, 10);
      await ended;
      const { stream, frames } = await probeVideo(await ffmpeg(), copy);
      assert.deepEqual([stream.codec, stream.width, stream.height], ['h264', 64, 48]);
      assert.ok(frames >= 9, `${frames}`);
    });
  }

  it('HLS that has an end loses nothing', { timeout }, async () => {
    const list = join(folder, 'list.m3u8');
    await promisify(execFile)(program, ['-v', 'error', ...clip, '-f', 'hls', '-hls_time', '1', list]);
    const server = createServer((request, response) => {
      void readFile(join(folder, basename(request.url ?? '')))
        .then((file) => response.end(file))
        .catch(() => response.writeHead(404).end());
    }).listen(0, '127.0.0.1');
    after(() => server.close());
    await once(server, 'listening');
    const input = await open(`http://127.0.0.1:${(server.address() as AddressInfo).port}/list.m3u8`);
    assert.equal(input.isLive, false);
    assert.deepEqual(await sizesOf(input), tenFrames);
  });

  it('an address that nobody serves is an error with its name', { timeout }, async () => {
    const input = await open('rtmp://ann:secret@127.0.0.1:1/live');
    await assert.rejects(sizesOf(input), (error: Error) => {
      assert.match(error.message, /rtmp:\/\/ann:\*\*\*@127\.0\.0\.1:1\/live/);
      assert.doesNotMatch(error.message, /secret/);
      assert.doesNotMatch(error.message, /codec|install/, 'nothing is wrong with ffmpeg');
      return true;
    });
  });
});
