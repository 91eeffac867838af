import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it, mock } from 'node:test';
import type { Provider } from '../../../../src/engine/device.js';
import type { Precision } from '../../../../src/engine/messages.js';
import { loadPrecision, type PrecisionOptions } from '../../../../src/engine/worker/calibration/precision.js';
import { NotFiniteError } from '../../../../src/engine/worker/networks/finite.js';
import { ModelRuntime } from '../../../../src/engine/worker/networks/runtime.js';
import { TrialPicture } from '../../../../src/engine/worker/calibration/trial-picture.js';
import { readModelFolder } from '../../../../src/model/folder.js';
import { tinyModel } from '../../../support/engine.js';

const directory = await mkdtemp(join(tmpdir(), 'millrace-precision-'));
after(() => rm(directory, { recursive: true }));
const model = join(directory, 'model');
await cp(tinyModel, model, { recursive: true });
for (const part of ['unet', 'vae_encoder', 'vae_decoder']) {
  await cp(join(model, part, 'model.onnx'), join(model, part, 'model_int8.onnx'));
}
const folder = await readModelFolder(model);
const { int8 } = folder;
assert.ok(int8);
const cacheDirectory = join(directory, 'cache');

interface Loaded {
  readonly which: 'floats' | '8 bits';
  readonly because: string | null;
  readonly progress: readonly string[];
  /** How often it asked whether to continue. */
  readonly asked: number;
}

async function load(
  precision: Precision,
  options: Partial<PrecisionOptions> = {},
  of: typeof folder = folder,
): Promise<Loaded> {
  const progress: string[] = [];
  let asked = 0;
  const { runtime, because } = await loadPrecision(of, {
    precision,
    device: { provider: 'cpu', index: 0 },
    threads: 1,
    cacheDirectory,
    calibration: 'auto',
    onProgress: (what) => progress.push(what),
    proceed: () => (asked += 1),
    onNote: (note) => assert.equal(note, ''),
    ...options,
  });
  const { file } = runtime.folder.layout.unet.graph;
  await runtime[Symbol.asyncDispose]();
  return { which: file === int8!.unet.graph.file ? '8 bits' : 'floats', because, progress, asked };
}

/** Lets nothing be loaded until mocks are restored: networks are not needed where no picture is drawn. */
function loadNothing(): void {
  mock.method(ModelRuntime, 'load', (of: typeof folder) =>
    Promise.resolve({ folder: of, [Symbol.asyncDispose]: () => Promise.resolve() }),
  );
}

async function keptFile(): Promise<string> {
  const names = await readdir(cacheDirectory);
  assert.equal(names.length, 1);
  assert.match(names[0], /^precision-/);
  return join(cacheDirectory, names[0]);
}

const compared = 'comparing floats and 8 bits';

describe('a precision that is requested by name', () => {
  it('is loaded without a comparison', async () => {
    for (const [precision, which, because] of [
      ['float', 'floats', null],
      ['int8', '8 bits', 'computing in 8 bits, as requested'],
    ] as const) {
      const loaded = await load(precision);
      assert.deepEqual([loaded.which, loaded.because, loaded.asked], [which, because, 0]);
      assert.deepEqual(loaded.progress, [
        'loading the text encoder',
        'loading the VAE encoder',
        'loading the U-Net',
        'loading the VAE decoder',
      ]);
    }
  });

  it('is refused with advice if it is unavailable', async () => {
    const onGpu = { device: { provider: 'cuda' as Provider, index: 0 } };
    await assert.rejects(
      load('int8', onGpu),
      /only the CPU can compute in 8 bits; set precision to auto or float/,
    );
    await assert.rejects(load('int8', {}, { ...folder, int8: null }), /the model has no 8-bit graphs; set/);
    const none = await load('auto', {}, { ...folder, int8: null });
    assert.deepEqual([none.which, none.because, none.asked], ['floats', null, 0]);
  });
});

describe('auto', () => {
  it('draws with both in turn, once to warm up and five times measured, of which the median counts, and keeps the comparison', async () => {
    let now = 1e6;
    let draws = 0;
    mock.method(performance, 'now', () => now);
    const draw: (this: TrialPicture) => Promise<Uint8ClampedArray> = Reflect.get(
      TrialPicture.prototype,
      'draw',
    );
    const took = { floats: [1, 90, 80, 70, 60, 90], int8: [1, 70, 50, 40, 60, 80] };
    mock.method(TrialPicture.prototype, 'draw', async function (this: TrialPicture) {
      const drawn = await draw.call(this);
      now += took[draws % 2 === 0 ? 'floats' : 'int8'][draws >> 1] ?? NaN;
      if (draws++ % 2 === 1) return drawn.map((value) => value ^ 8);
      return drawn;
    });
    const loaded = await load('auto');
    mock.restoreAll();
    assert.equal(draws, 12);
    assert.equal(loaded.asked, 12);
    assert.equal(loaded.which, '8 bits');
    assert.equal(
      loaded.because,
      'computing in 8 bits: a frame takes 60.0 ms in 8 bits and 80.0 ms in floats (measured now)',
    );
    assert.equal(loaded.progress.length, 9);
    assert.equal(loaded.progress.at(-1), compared);
    const { decibels, ...times } = JSON.parse(await readFile(await keptFile(), 'utf8')) as Record<
      string,
      number
    >;
    assert.deepEqual(times, { floatMs: 80, int8Ms: 60 });
    assert.equal(decibels, 10 * Math.log10(255 ** 2 / 64));
    // The next start uses it.
    const savedAt = new Date('2026-01-02T03:04:05Z');
    await utimes(await keptFile(), savedAt, savedAt);
    const again = await load('auto', { calibration: 'kept' });
    const because = loaded.because?.replace('measured now', 'kept from 2026-01-02 03:04 UTC');
    assert.deepEqual([again.which, again.because, again.asked], ['8 bits', because, 0]);
    assert.equal(again.progress.length, 4);
  });

  it('chooses 8 bits if they save more than 5% and the pictures match within 26 dB', async () => {
    loadNothing();
    const floats = (ms: string): string =>
      `computing in floats: a frame takes ${ms} ms in 8 bits and 100 ms in floats`;
    const others = 'computing in floats: 8 bits give different pictures on this CPU';
    const date = / \(kept from [-\d]{10} [\d:]{5} UTC\)$/;
    for (const [kept, which, because] of [
      [
        { floatMs: 100, int8Ms: 94.9, decibels: 26 },
        '8 bits',
        'computing in 8 bits: a frame takes 94.9 ms in 8 bits and 100 ms in floats',
      ],
      [{ floatMs: 100, int8Ms: 95, decibels: 40 }, 'floats', floats('95.0')],
      [{ floatMs: 100, int8Ms: 120, decibels: 26 }, 'floats', floats('120')],
      [{ floatMs: 100, int8Ms: 50, decibels: 25.9 }, 'floats', others],
      [{ floatMs: 100, int8Ms: 120, decibels: 25.9 }, 'floats', others],
    ] as const) {
      await writeFile(await keptFile(), JSON.stringify(kept));
      const loaded = await load('auto', { calibration: 'kept' });
      assert.match(loaded.because ?? '', date);
      const reason = loaded.because?.replace(date, '');
      assert.deepEqual([loaded.which, reason, loaded.asked], [which, because, 0]);
    }
    mock.restoreAll();
  });

  it('compares again if the chosen one is faster or slower than it was, or if asked', async () => {
    loadNothing();
    let now = 1e6;
    let ms = 50;
    mock.method(performance, 'now', () => now);
    mock.method(TrialPicture.prototype, 'draw', () => {
      now += ms;
      return Promise.resolve(new Uint8ClampedArray(3));
    });
    // Of a kept comparison, only the chosen one is checked: once, or three times if it differs, after a warm-up.
    for (const [floatMs, int8Ms, drawnMs, asked] of [
      [100, 50, 62.5, 2],
      [100, 50, 39, 4 + 12],
      [100, 50, 63, 4 + 12],
      [50, 100, 50, 2],
      [0, 0, 50, 0],
      [50, 100, 100, 4 + 12],
    ] as const) {
      await writeFile(await keptFile(), JSON.stringify({ floatMs, int8Ms, decibels: 40 }));
      ms = drawnMs;
      const loaded = await load('auto');
      assert.equal(loaded.asked, asked, `${floatMs}, ${int8Ms}: now ${drawnMs} ms`);
      assert.equal(loaded.progress.includes(compared), asked > 4);
      assert.match(loaded.because ?? '', asked > 4 ? /\(measured now\)$/ : /\(kept from /);
    }
    assert.deepEqual(
      [(await load('auto')).asked, (await load('auto', { calibration: 'fresh' })).asked],
      [2, 12],
    );
    mock.restoreAll();
  });

  it('compares again if the chosen one now computes NaN', async () => {
    loadNothing();
    await writeFile(await keptFile(), JSON.stringify({ floatMs: 100, int8Ms: 50, decibels: 40 }));
    let draws = 0;
    mock.method(TrialPicture.prototype, 'draw', () =>
      draws++ === 0 ? Promise.reject(new NotFiniteError('unet')) : Promise.resolve(new Uint8ClampedArray(3)),
    );
    assert.equal((await load('auto')).asked, 1 + 12);
    mock.restoreAll();
  });

  it('compares again if the kept file is invalid', async () => {
    loadNothing();
    // A picture of one pixel, without delay.
    mock.method(TrialPicture.prototype, 'draw', () => Promise.resolve(new Uint8ClampedArray(3)));
    const comparison = { floatMs: 100, int8Ms: 50, decibels: 40 };
    for (const kept of [
      null,
      'text',
      { int8Ms: 50, decibels: 40 },
      { floatMs: 100, decibels: 40 },
      { floatMs: 100, int8Ms: 50 },
      { ...comparison, floatMs: '100' },
      { ...comparison, decibels: 'infinite' },
    ]) {
      await writeFile(await keptFile(), JSON.stringify(kept).replace('"infinite"', '1e999'));
      const { asked, progress } = await load('auto');
      assert.deepEqual([asked, progress.at(-1)], [12, compared], JSON.stringify(kept));
    }
    const { decibels } = JSON.parse(await readFile(await keptFile(), 'utf8')) as {
      readonly decibels: number;
    };
    assert.equal(decibels, 10 * Math.log10(255 ** 2 / 0.01), 'the pictures are identical');
    await writeFile(await keptFile(), JSON.stringify(comparison));
    assert.equal((await load('auto', { calibration: 'kept' })).asked, 0);
    mock.restoreAll();
  });

  it('ends if it may not continue, and does not treat that as a comparison', async () => {
    const stop = new Error('stopped');
    const proceed = (): void => {
      throw stop;
    };
    await assert.rejects(load('auto', { cacheDirectory: null, proceed }), stop);
  });

  it('measures each time if nothing is kept', async () => {
    const { asked, which, because } = await load('auto', { cacheDirectory: null });
    assert.equal(asked, 12);
    assert.ok(because?.startsWith(`computing in ${which}: a frame takes `), `${because}`);
  });
});
