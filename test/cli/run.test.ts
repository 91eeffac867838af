import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import sharp from 'sharp';
import { decodeImage } from '../../src/image/decode.js';
import { fitImage } from '../../src/image/fit.js';
import type { Image } from '../../src/image/image.js';
import { probeVideo } from '../../src/video/probe.js';
import { readVideo } from '../../src/video/read.js';
import { meanColour, meanDifference, tower } from '../image/pictures.js';
import { ModelCopy } from '../model/model-copy.js';
import { runMillrace, startMillrace, type Started } from '../support/command.js';
import { measuredOnce, tinyModel } from '../support/engine.js';
import { classifierGraph, writeSafetyChecker } from '../support/safety-model.js';
import { collect, ffmpeg, fixturePath, soundOf } from '../video/videos.js';

const walkers = fixturePath('videos/walkers-short.mp4');
const spatial = fixturePath('videos/spatial-audio.mov');
/** The model whose pictures look like nothing, but are made at once. */
const tiny = ['--model', tinyModel, '--size', '64x64'];
const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

Object.assign(process.env, {
  MILLRACE_CACHE_DIRECTORY: measuredOnce.cacheDirectory,
  MILLRACE_CALIBRATION: measuredOnce.calibration,
  // No programs on the PATH, so that the packaged ffmpeg is used.
  PATH: folder,
});

function start(...args: string[]): Started {
  return startMillrace(['run', ...args]);
}

/** Runs the command in this process. */
async function succeed(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await runMillrace(['run', ...args, '--json']);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** An ffmpeg that reads one frame of a stream, and then fails as ffmpeg does: with the address. */
const brokenStream = `
  import { writeSync } from 'node:fs';
  const { argv } = process;
  if (argv.includes('-h')) console.log('-fps_mode');
  else {
    writeSync(3, '#dimensions 0: 64x48\\n0, 0, 0, 1, 9216, 0x0\\n');
    writeSync(1, Buffer.alloc(64 * 48 * 3));
    writeSync(2, argv[argv.indexOf('-i') + 1] + ': Input/output error with battery-staple\\n');
    process.exitCode = 1;
  }`;

const picture = async (path: string): Promise<Image> =>
  decodeImage(await readFile(path), { maxPixels: 1 << 24 });

describe('millrace run', () => {
  it('keeps the number of frames, the rate and the sound of a video', async () => {
    const out = at('out.mp4');
    const options = ['--prompt', 'oil painting', '--steps', '2', '--size', '128x128'];
    const report = await succeed(walkers, '-o', out, ...options);
    assert.deepEqual(
      { frames_in: report['frames_in'], frames_out: report['frames_out'], skipped: report['skipped'] },
      { frames_in: 10, frames_out: 10, skipped: 0 },
    );
    assert.equal(report['damage'], null);
    assert.ok(Number(report['fps']) > 0);
    const { p50, p95 } = report['latency_ms'] as Record<string, number>;
    assert.ok(p50 > 0 && p95 >= p50);
    const stages = report['stage_ms'] as Record<string, number>;
    assert.deepEqual(Object.keys(stages), ['read', 'queue', 'encode', 'denoise', 'decode', 'write']);
    for (const ms of Object.values(stages)) assert.ok(Number.isFinite(ms) && ms >= 0);

    const video = await probeVideo(ffmpeg, out);
    assert.deepEqual([video.frames, video.rate], [10, { numerator: 10, denominator: 1 }]);
    assert.deepEqual(await soundOf(out), await soundOf(walkers));

    // Each frame shows its own input, painted: including the first and the last.
    const inputs = await collect(readVideo(ffmpeg, await probeVideo(ffmpeg, walkers), 1 << 20));
    const outputs = await collect(readVideo(ffmpeg, video, 1 << 20));
    for (const [index, { image }] of outputs.entries()) {
      const own = await fitImage(inputs[index].image, image, 'cover');
      const far = await fitImage(inputs[(index + 5) % 10].image, image, 'cover');
      const [near, other] = [meanDifference(image, own), meanDifference(image, far)];
      assert.ok(near > 1, 'it is painted');
      assert.ok(near < other, `frame ${index}: ${near} from its own input, ${other} from another`);
    }
  });

  it('renders the intact part of a damaged video, and says that it is damaged', async () => {
    const whole = await readFile(fixturePath('videos/tree.webm'));
    await writeFile(at('half.webm'), whole.subarray(0, whole.length * 0.6));
    const half = await runMillrace(['run', at('half.webm'), '-o', at('half.mp4'), '-p', 'x', ...tiny]);
    assert.equal(half.code, 0, half.stderr);
    assert.match(half.stderr, /half\.mp4: 14 frames, .*\n.*half\.webm is damaged, .*: .+\n$/);
  });

  it('leaves out a sound track that cannot be kept, and says which and why', async () => {
    const options = ['-p', 'x', '--json', ...tiny];
    const { code, stdout, stderr } = await runMillrace(['run', spatial, '-o', at('spatial.mp4'), ...options]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^audio track 2 \(apac\) was left out: ffmpeg does not know its codec \(apac\)$/m);
    const report = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual(report['left_out'], [
      { track: 2, type: 'audio', codec: 'apac', reason: 'ffmpeg does not know its codec (apac)' },
    ]);
    assert.deepEqual([report['converted'], report['passed_over'], report['notes']], [[], [], []]);
    const { tracks } = await probeVideo(ffmpeg, at('spatial.mp4'));
    assert.deepEqual(
      tracks.map(({ codec }) => codec),
      ['aac'],
    );
  });

  it('renders the readable pictures of a folder and lists the files that it passed over', async () => {
    await mkdir(at('stray'));
    for (const name of ['1.jpg', '2.jpg', '3.jpg']) await writeFile(at(`stray/${name}`), tower);
    await sharp(tower).avif().toFile(at('stray/4.avif'));
    await writeFile(at('stray/2.jpg'), tower.subarray(0, 5000));
    await writeFile(at('stray/._1.jpg'), 'x');
    // The longest name allowed.
    const out = at(`${'o'.repeat(251)}.mkv`);
    const options = ['-p', 'x', '--json', ...tiny];
    const { code, stdout, stderr } = await runMillrace(['run', at('stray'), '-o', out, ...options]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^passed over 2 files: \._1\.jpg, 2\.jpg$/m);
    const report = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual([report['frames_out'], report['passed_over']], [3, ['._1.jpg', '2.jpg']]);
    assert.equal((await probeVideo(ffmpeg, out)).frames, 3);

    await succeed(at('stray'), '-o', at('stray-out'), '-p', 'x', ...tiny);
    // Pictures in formats that are not written become JPEGs, and are named so.
    assert.deepEqual((await readdir(at('stray-out'))).sort(), ['1.jpg', '3.jpg', '4.avif.jpg']);
  });

  it('renders pictures of a folder in the order of their numbers, each as if it were alone', async () => {
    await mkdir(at('in'));
    for (const [name, angle] of [
      ['1.png', 0],
      ['2.png', 90],
      ['10.png', 180],
    ] as const) {
      await sharp(tower)
        .rotate(angle)
        .png()
        .toFile(at(`in/${name}`));
    }
    const report = await succeed(at('in'), '-o', at('painted'), '-p', 'x', ...tiny);
    assert.equal(report['frames_out'], 3);
    assert.deepEqual((await readdir(at('painted'))).sort(), ['1.png', '10.png', '2.png']);
    await succeed(at('in/10.png'), '-o', at('alone.png'), '-p', 'x', ...tiny);
    assert.equal(meanDifference(await picture(at('alone.png')), await picture(at('painted/10.png'))), 0);

    await succeed(at('in'), '-o', at('slides.mkv'), '-p', 'x', '--fps', '30000/1001', ...tiny);
    const { frames, rate } = await probeVideo(ffmpeg, at('slides.mkv'));
    assert.equal(frames, 3);
    assert.deepEqual(rate, { numerator: 30_000, denominator: 1001 });
  });

  it('repeats the picture for frames skipped as similar', async () => {
    await mkdir(at('still'));
    for (let i = 0; i < 12; i++) await writeFile(at(`still/${i}.jpg`), tower);
    const out = at('still-out');
    const report = await succeed(at('still'), '-o', out, '-p', 'x', '--similar-image-filter', ...tiny);
    assert.equal(report['frames_out'], 12);
    assert.ok(Number(report['skipped']) > 0);
    const first = await readFile(join(out, '0.jpg'));
    for (let i = 1; i < 12; i++) assert.deepEqual(await readFile(join(out, `${i}.jpg`)), first);
  });

  it('applies size and fit', async () => {
    const options = ['-p', 'pencil sketch', '--size', '256x128', '--fit', 'contain', '--strength', '0.1'];
    await succeed(at('in/1.png'), '-o', at('wide.png'), ...options);
    const wide = await picture(at('wide.png'));
    assert.deepEqual([wide.width, wide.height], [256, 128]);
    // 4:3 in 2:1 leaves black bars at both sides.
    const [bar, middle] = [meanColour(wide, 0, 0, 30, 128), meanColour(wide, 100, 0, 56, 128)];
    assert.ok(bar[0] + bar[1] + bar[2] < (middle[0] + middle[1] + middle[2]) / 2);
  });

  it('leaves no files behind when interrupted, and exits with 130', async () => {
    await mkdir(at('interrupted'));
    const out = at('interrupted/out.mp4');
    const { child, ended } = start(
      fixturePath('videos/walkers.mp4'),
      '-o',
      out,
      '-p',
      'x',
      '--steps',
      '10',
      ...tiny,
    );
    // Its temporary file shows that it has started.
    while (!(await readdir(at('interrupted'))).length && child.exitCode === null) await setTimeout(20);
    child.kill('SIGINT');
    const { code, stdout } = await ended;
    assert.equal(code, 130);
    assert.equal(stdout, '');
    assert.deepEqual(await readdir(at('interrupted')), []);
  });

  it('reports every error in one line', async () => {
    await writeFile(at('text.txt'), 'no video');
    await writeFile(at('cut.jpg'), tower.subarray(0, 5000));
    await writeFile(at('exists.mp4'), '');
    await mkdir(at('empty'));
    const out = at('wrong.mp4');
    const pictures = at('in');
    const cases: readonly (readonly [RegExp, ...string[]])[] = [
      [/no file or folder \S+missing/, at('missing'), '-o', out],
      [/no JPEG, PNG, WebP or AVIF image in \S+empty$/, at('empty'), '-o', out],
      [/cut\.jpg: the JPEG image cannot be decoded/, at('cut.jpg'), '-o', at('wrong.jpg')],
      [/exists\.mp4 exists; add --overwrite/, pictures, '-o', at('exists.mp4')],
      [/wrong\.avi: unknown type of output/, pictures, '-o', at('wrong.avi')],
      [/is one picture, but the input has more/, walkers, '-o', at('wrong.jpg')],
      [/there is no folder \S+nowhere$/, pictures, '-o', at('nowhere/wrong.mp4')],
      [/wrong\.mp4 cannot be written \(ENOTDIR\)/, pictures, '-o', at('text.txt/wrong.mp4')],
      [/is the input$/, at('in/1.png'), '-o', at('in/1.png'), '--overwrite'],
      [/steps must be an integer from 1 to 10, not 99/, pictures, '-o', out, '--steps', '99'],
      [/strength must be .*, not "much"/, pictures, '-o', out, '--strength', 'much'],
      [/width must be .* multiple of \d+, not 250/, pictures, '-o', out, '--size', '250x250'],
      [/controls has no "canny": with this model it has none/, pictures, '-o', out, '--control', 'canny=0.5'],
      [/--style-image cannot be used: the model has no/, pictures, '-o', out, '--style-image', at('cut.jpg')],
      [/--size must be WIDTHxHEIGHT/, pictures, '-o', out, '--size', 'big'],
      [/--crf must be an integer from 0 to 63, not 99/, pictures, '-o', out, '--crf', '99'],
      [/--threads must be an integer/, pictures, '-o', out, '--threads', '0'],
      [/model_index\.json/, pictures, '-o', out, '--model', at('empty')],
      [/t_index_list .*40/, pictures, '-o', out, '--t-index-list', '40,10'],
      [/^\S+ rtsp:\/\/a:\*{3}@b\/1 cannot be opened/, 'rtsp://a:secret@b/1', '-o', out],
      [/^\S+ rtmp:\/\/b\/live\/\*{3} cannot be opened/, pictures, '-o', 'rtmp://b/live/secret'],
    ];
    const before = (await readdir(folder)).sort();
    for (const [expected, ...args] of cases) {
      const given = [...tiny, ...args, '-p', 'x', '--json'];
      const { code, stdout, stderr } = await runMillrace(['run', ...given]);
      assert.equal(code, 1, `${args.join(' ')}\n${stderr}`);
      assert.match(stderr.trimEnd(), /^millrace: .+$/);
      assert.match(stderr.trimEnd(), expected);
      assert.equal(stdout, '');
    }
    // A program of its own gives no other answer.
    const { code, stdout, stderr } = await start(at('text.txt'), '-o', out, '-p', 'x', '--json').ended;
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr.trimEnd(), /^millrace: \S+text\.txt is not a video that can be read.+$/);
    assert.deepEqual((await readdir(folder)).sort(), before);
  });
});

it('says how a stream ended without the secrets of its address', async () => {
  const program = at('ffmpeg.mjs');
  await writeFile(program, `#!${process.execPath}\n${brokenStream}`, { mode: 0o755 });
  const url = 'rtmp://ann:battery-staple@camera/live/ab12-cd34';
  const args = ['run', url, '-o', at('stream'), '-p', 'oil', ...tiny];
  const environment = { MILLRACE_FFMPEG: program };
  const plain = await startMillrace([...args], environment).ended;
  assert.equal(plain.code, 0, plain.stderr);
  const json = await startMillrace([...args, '--overwrite', '--json'], environment).ended;
  assert.match(plain.stderr, /rtmp:\/\/ann:\*{3}@camera\/live\/\*{3} is damaged/);
  const report = JSON.parse(json.stdout) as Record<string, unknown>;
  const damage = 'rtmp://ann:***@camera/live/***: Input/output error with ***';
  assert.deepEqual([report['frames_out'], report['damage']], [1, damage]);
  for (const text of [plain.stderr, json.stderr, json.stdout]) assert.doesNotMatch(text, /battery|ab12/);
});

it('the report says how many frames the safety checker of the model flagged', async () => {
  await using model = await ModelCopy.create(tinyModel);
  const checker = { enabled: true, image_size: 8, image_mean: [0, 0, 0], image_std: [1, 1, 1] };
  await writeSafetyChecker(model.folder, classifierGraph(1, { weights: [1, 1, 1] }).graph, checker);
  const picturePath = fixturePath('images/tower.jpg');
  const report = await succeed(
    picturePath,
    '-o',
    at('flagged.png'),
    '-p',
    'oil',
    ...tiny,
    '--model',
    model.folder,
  );
  assert.deepEqual(report['notes'], ['frames that the safety checker flagged, and are blurred: 1']);
});
