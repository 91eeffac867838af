import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { InferenceSession } from 'onnxruntime-node';
import { loadPrecision } from '../../../src/engine/worker/calibration/precision.js';
import { TrialPicture } from '../../../src/engine/worker/calibration/trial-picture.js';
import { tryDevice } from '../../../src/engine/worker/devices/providers.js';
import { Preprocessor } from '../../../src/engine/worker/networks/preprocessor.js';
import { ModelRuntime } from '../../../src/engine/worker/networks/runtime.js';
import { SafetyGuard } from '../../../src/engine/worker/streams/safety-guard.js';
import { readModelFolder } from '../../../src/model/folder.js';
import { testImage, tinyModel } from '../../support/engine.js';
import { preprocessorLayout, randomGraph, writePreprocessor } from '../../support/preprocessor-model.js';
import { classifierGraph, writeSafetyChecker } from '../../support/safety-model.js';
import { steeredModel } from '../../support/steered-model.js';

const directory = await mkdtemp(join(tmpdir(), 'millrace-failed-loads-'));
after(() => rm(directory, { recursive: true }));
const cpu = { provider: 'cpu', index: 0 } as const;
const webgpu = { provider: 'webgpu', index: 0 } as const;

const createReal = InferenceSession.create.bind(InferenceSession) as (
  file: string,
  options: InferenceSession.SessionOptions,
) => Promise<InferenceSession>;

interface Sessions {
  created: number;
  open: number;
}

interface Failing {
  /** The number of the session that cannot be created, from 1 on. */
  readonly create?: number;
  /** Returns whether a session cannot run. */
  readonly run?: (file: unknown, device: unknown) => boolean;
}

/** Counts sessions, all of them on the CPU whatever device they are for. */
function watch(t: TestContext, { create = 0, run = () => false }: Failing = {}): Sessions {
  const sessions: Sessions = { created: 0, open: 0 };
  t.mock.method(
    InferenceSession,
    'create',
    async (
      file: string,
      { executionProviders: [device] = [], ...options }: InferenceSession.SessionOptions,
    ) => {
      sessions.created += 1;
      if (sessions.created === create) throw new Error('no room');
      const session = await createReal(file, options);
      sessions.open += 1;
      if (run(file, device)) t.mock.method(session, 'run', () => Promise.reject(new Error('lost')));
      const release = session.release.bind(session);
      t.mock.method(session, 'release', async () => {
        await release();
        sessions.open -= 1;
      });
      return session;
    },
  );
  return sessions;
}

describe('when a later network fails, those before it are released:', () => {
  it('of a model', async (t) => {
    const model = join(directory, 'preprocessors');
    await cp(tinyModel, model, { recursive: true });
    for (const name of ['first', 'second'])
      await writePreprocessor(model, name, randomGraph(3).graph, {
        title: name,
        output: { kind: 'picture' },
      });
    const folder = await readModelFolder(model);
    const all = watch(t);
    const runtime = await ModelRuntime.load(folder, { threads: 1 });
    assert.equal(all.open, 4 + 2 * 3, 'each preprocessor has a graph before it and one after it');
    await runtime[Symbol.asyncDispose]();
    assert.equal(all.open, 0);
    for (const create of [2, all.created]) {
      const sessions = watch(t, { create });
      await assert.rejects(ModelRuntime.load(folder, { threads: 1 }), /no room/);
      assert.deepEqual(sessions, { created: create, open: 0 });
    }
  });

  it('of the guard on results', async (t) => {
    const model = join(directory, 'safety');
    await writeSafetyChecker(model, classifierGraph(2).graph, { image_size: 8 });
    const options = { device: cpu, threads: 1, cacheDirectory: null, setting: 'on' } as const;
    const load = (): Promise<SafetyGuard | null> =>
      SafetyGuard.load(model, { ...options, onNote: () => {}, post: () => {}, onProgress: () => {} });
    const all = watch(t);
    await (await load())?.[Symbol.asyncDispose]();
    assert.deepEqual(all, { created: 3, open: 0 });
    for (const create of [1, 2, 3]) {
      const sessions = watch(t, { create });
      await assert.rejects(load(), /no room/);
      assert.deepEqual(sessions, { created: create, open: 0 });
    }
  });

  it('of both precisions, also if they cannot be compared', async (t) => {
    const model = join(directory, 'precision');
    await cp(tinyModel, model, { recursive: true });
    for (const part of ['unet', 'vae_encoder', 'vae_decoder']) {
      await cp(join(model, part, 'model.onnx'), join(model, part, 'model_int8.onnx'));
    }
    const folder = await readModelFolder(model);
    t.mock.method(TrialPicture.prototype, 'draw', () => Promise.resolve(new Uint8ClampedArray(3)));
    const open = new Set<object>();
    let loads = 0;
    let failing = 0;
    t.mock.method(ModelRuntime, 'load', (of: typeof folder) => {
      loads += 1;
      if (loads === failing) return Promise.reject(new Error('no room'));
      const loaded = { folder: of, [Symbol.asyncDispose]: () => Promise.resolve(void open.delete(loaded)) };
      open.add(loaded);
      return Promise.resolve(loaded);
    });
    const load = async (proceed: () => void): Promise<number> => {
      loads = 0;
      const { runtime } = await loadPrecision(folder, {
        precision: 'auto',
        device: cpu,
        threads: 1,
        cacheDirectory: join(directory, 'cache'),
        calibration: 'auto',
        onProgress: () => {},
        proceed,
        onNote: () => {},
      });
      assert.deepEqual([...open], [runtime], 'only the chosen one stays');
      await runtime[Symbol.asyncDispose]();
      return loads;
    };
    const stop = new Error('stopped');
    const refuse = (): void => {
      throw stop;
    };
    failing = 2;
    await assert.rejects(
      load(() => {}),
      /no room/,
    );
    assert.equal(open.size, 0);
    failing = 0;
    await assert.rejects(load(refuse), stop);
    assert.deepEqual([loads, open.size], [2, 0], 'while they are compared');
    assert.equal(await load(() => {}), 2);
    await assert.rejects(load(refuse), stop);
    assert.deepEqual([loads, open.size], [1, 0], 'while a kept comparison is checked');
  });
});

it('what was made of a network is released if its trial fails, before the CPU gets another', async (t) => {
  const folder = await readModelFolder(await steeredModel('all'));
  const isEncoder = (file: unknown): boolean => String(file).includes('image_encoder');
  const sessions = watch(t, { run: (file, device) => device === 'webgpu' && isEncoder(file) });
  const notes: string[] = [];
  const onNote = (text: string): void => void notes.push(text);
  const runtime = await ModelRuntime.load(folder, { threads: 1, device: webgpu, onNote });
  assert.match(notes.join(), /^the image encoder runs on the CPU, since webgpu cannot run it: lost/);
  await runtime[Symbol.asyncDispose]();
  assert.equal(sessions.open, 0);
});

it('a device that cannot run the trial graph keeps nothing of it', async (t) => {
  const sessions = watch(t, { run: () => true });
  assert.equal(await tryDevice(cpu), 'lost');
  assert.deepEqual(sessions, { created: 1, open: 0 });
});

it('a preprocessor whose drawing cannot be replaced disposes of it once', async (t) => {
  const sessions = watch(t, { create: 3 });
  let channels = 3;
  const preprocessor = await Preprocessor.create(preprocessorLayout, {
    runOpen: () => Promise.resolve({ data: new Float32Array(channels * 4), shape: [1, channels, 2, 2] }),
  });
  channels = 1;
  await assert.rejects(preprocessor.prepare([testImage(0, { width: 8, height: 8 })]), /no room/);
  await preprocessor[Symbol.asyncDispose]();
  assert.equal(sessions.open, 0);
});
