import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { BufferPool } from '../../../src/engine/buffer-pool.js';
import { RecordedStream } from '../../support/engine.js';
import type { Script } from './scripted-worker.js';
import { clock, open, opens, parameters, ready, setUp, type Rig } from './supervisor-rig.js';

const timings = { queueMs: 1, vaeEncodeMs: 2, denoiseMs: 3, vaeDecodeMs: 4 };

function image(): { width: number; height: number; data: Uint8Array<ArrayBuffer> } {
  return { width: 2, height: 1, data: new Uint8Array(6) };
}

describe('an engine that starts', () => {
  it('starts once, reports its progress, and takes its state from its worker', async () => {
    const { engine, told } = setUp(
      { begin: [{ type: 'starting', what: 'loading' }, ready] },
      { precision: 'int8', calibration: 'fresh', safetyChecker: 'on' },
    );
    assert.deepEqual(engine.state, { name: 'starting', what: 'starting the inference thread' });
    await Promise.all([engine.start(), engine.start()]);
    await engine.start();
    const options =
      '{"device":"cpu","threads":2,"cacheDirectory":"/cache","precision":"int8","calibration":"fresh","safetyChecker":"on"}';
    assert.deepEqual(told, [
      'starting starting the inference thread',
      `note 0: ${options}`,
      'starting loading',
      'ready',
    ]);
    const { type: _, ...state } = ready;
    assert.deepEqual(engine.state, { name: 'ready', ...state });
  });

  it('reports each note once, and what its worker measures and finds', async () => {
    const call = { rows: 1, streams: 1, ms: 2, pictureMs: 3, expectedMs: 4 };
    const note = { type: 'note', text: 'twice' };
    const { engine, told, until } = setUp({
      begin: [
        note,
        ready,
        note,
        { type: 'inference', ...call },
        { type: 'embedding', hit: true },
        { type: 'not_finite', part: 'unet' },
        { type: 'starting', what: 'too late' },
        { type: 'note', text: 'last' },
      ],
    });
    await engine.start();
    await until('note last');
    assert.deepEqual(told.slice(2, 4), ['note twice', 'ready']);
    assert.deepEqual(
      [JSON.parse(told[4]?.slice('inference '.length) ?? ''), ...told.slice(5, 8)],
      [{ type: 'inference', ...call }, 'embedding true', 'not finite unet', 'note last'],
    );
  });

  it('fails for good with the message of its worker', async () => {
    const { engine, told } = setUp({ begin: [{ type: 'failed', message: 'no such model' }] });
    await assert.rejects(engine.start(), /^Error: no such model$/);
    await assert.rejects(open(engine), /no such model/);
    await assert.rejects(engine.start(), /no such model/);
    assert.deepEqual(told.slice(2), ['failed no such model']);
  });

  for (const [device, seconds] of [
    ['cpu', 120],
    ['tensorrt', 3600],
    ['cuda', 600],
    ['auto', 600],
  ] as const) {
    it(`on ${device} may be silent for ${seconds} s at a time`, async () => {
      mock.timers.enable({ apis: ['setTimeout'] });
      const { engine, told, until } = setUp({ begin: [{ type: 'starting', what: 'loading' }] }, { device });
      const started = assert.rejects(
        engine.start(),
        new RegExp(`was silent for ${seconds} s while it started`),
      );
      mock.timers.tick(1000 * seconds - 1);
      await until('starting loading');
      mock.timers.tick(1000 * seconds - 1);
      assert.ok(!told.includes('hang'));
      mock.timers.tick(1);
      assert.deepEqual(told.slice(-2, -1), ['hang']);
      await started;
      assert.equal(engine.state.name, 'failed');
    });
  }

  it('may be silent without limit once it is ready', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const { engine } = setUp({ begin: [ready] }, { startTimeoutMs: 50 });
    await engine.start();
    mock.timers.tick(1e7);
    assert.equal(engine.state.name, 'ready');
  });
});

describe('memory of frames', () => {
  it('is reused when a worker returns it', async () => {
    const pool = new BufferPool(1);
    const { engine, until } = setUp(
      { begin: [ready, { type: 'recycle', pixels: 6 }, { type: 'note', text: 'done' }] },
      { pixels: pool },
    );
    await engine.start();
    await until('done');
    const data = engine.allocate(6);
    assert.equal(data.length, 6);
    assert.equal(data[0], 7);
    pool.give(data.buffer);
    assert.equal(engine.allocate(6).buffer, data.buffer);
    const alone = setUp({ begin: [ready, { type: 'recycle', pixels: 6 }, { type: 'note', text: 'done' }] });
    await alone.engine.start();
    await alone.until('done');
    assert.deepEqual([alone.engine.allocate(6)[0], alone.engine.allocate(6)[0]], [7, 0]);
  });

  it('is kept for the sixteen frames that were returned last', async () => {
    const begin = Array.from({ length: 17 }, (_, i) => ({ type: 'recycle', pixels: i + 1 }));
    const { engine, until } = setUp({ begin: [ready, ...begin, { type: 'note', text: 'done' }] });
    await engine.start();
    await until('done');
    const kept = begin.map(({ pixels }) => engine.allocate(pixels)[0]);
    assert.deepEqual(kept, [0, ...Array<number>(16).fill(7)]);
  });

  it('goes back to the worker if the stream of a result is gone', async () => {
    const result = { type: 'result', stream: 0, frame: 1, width: 2, height: 1, pixels: 6, timings };
    const { engine, told, until } = setUp({
      ...opens,
      on: { ...opens.on, close: [result, { type: 'admitted', stream: 0, frame: 2 }] },
    });
    const recorded = await open(engine);
    recorded.stream.close();
    await until('recycle');
    assert.equal(told.filter((line) => line.includes('"recycle","pixels":6')).length, 1);
    assert.deepEqual([recorded.answered, recorded.admitted], [0, []]);
  });
});

describe('streams', () => {
  it('have their own numbers, and open with their initial parameters and state', async () => {
    const { engine, told, until } = setUp(opens);
    const first = await open(engine);
    const state = { ordinal: 3, frames: [] };
    const second = await RecordedStream.open(engine, parameters, { state, account: 'a tenant' });
    await until('"stream":1,"request":0,"question":"open"');
    const messages = told
      .filter((line) => line.includes('"open"'))
      .map((line) => line.replace(/^note \d+: /, ''));
    const start = { parameters, state: null, account: null };
    const message = { type: 'ask', stream: 0, request: 0, question: 'open', argument: start };
    assert.deepEqual(
      messages.map((line) => JSON.parse(line) as unknown),
      [message, { ...message, stream: 1, argument: { parameters, state, account: 'a tenant' } }],
    );
    second.stream.push(7, { image: image() }, { replace: true });
    first.stream.close();
    await until('"close","stream":0');
    await until('"frame","stream":1,"frame":7');
  });
});

describe('the end of a stream', () => {
  /** Counts the ends of the streams of an engine. */
  function countEnds(script: Script): Rig & { readonly ends: () => number } {
    let count = 0;
    const rig = setUp(script, { onStreamEnd: () => (count += 1) });
    return { ...rig, ends: () => count };
  }

  it('is reported once, whether it is closed, closed twice, or stopped with its engine', async () => {
    const { engine, ends } = countEnds(opens);
    const recorded = await open(engine);
    await open(engine);
    assert.equal(ends(), 0);
    recorded.stream.close();
    recorded.stream.close();
    assert.equal(ends(), 1);
    await engine[Symbol.asyncDispose]();
    assert.equal(ends(), 2);
  });

  it('is reported for one that is refused', async () => {
    const refused = { type: 'refused', field: 'width', message: 'no' };
    const { engine, ends } = countEnds({ begin: [ready], on: { open: [refused] } });
    await assert.rejects(open(engine), { name: 'ParameterError', field: 'width', message: 'no' });
    assert.equal(ends(), 1);
  });
});

describe('a worker that dies', () => {
  /**
   * Lets it die and be restarted `times` times.
   * @param apart milliseconds for which it is ready before the next death. @param starting until it is ready again.
   * @returns the delays of the restarts, in ms.
   */
  async function deaths(
    { engine }: Rig,
    recorded: RecordedStream,
    {
      times,
      apart,
      starting = 0,
    }: { readonly times: number; readonly apart: number; readonly starting?: number },
  ): Promise<readonly number[]> {
    const delays: number[] = [];
    const { setTimeout } = globalThis;
    mock.method(globalThis, 'setTimeout', (action: () => void, ms: number) => {
      // Other timers wait for its silence, which does not happen.
      if (ms > 60_000) return null;
      delays.push(ms);
      clock.now += starting;
      return setTimeout(action, 0);
    });
    for (let time = 1; time <= times; time++) {
      recorded.stream.push(13, { image: null }, { replace: true });
      await recorded.until(() => recorded.restarts === time || recorded.closed !== null);
      // Streams are opened again in order: when a new one is open, so is the first.
      await open(engine).catch(() => {});
      clock.now += apart;
    }
    return delays;
  }

  const script = { ...opens, begin: [{ type: 'starting', what: 'loading' }, ready] };

  it('is restarted after longer and longer delays, but not after the sixth death within a minute of being ready', async () => {
    const rig = setUp(script);
    const recorded = await open(rig.engine);
    assert.deepEqual(await deaths(rig, recorded, { times: 6, apart: 11_999 }), [100, 200, 400, 800, 1600]);
    assert.equal(recorded.restarts, 5);
    assert.match(String(recorded.closed), /struck by frame 13/);
    assert.equal(rig.told.filter((line) => line === 'restart').length, 5);
    assert.equal(rig.told.at(-1), 'failed struck by frame 13');
    assert.ok(rig.told.includes('restarting restarting after: struck by frame 13'));
    assert.equal(rig.told.filter((line) => line === 'restarting loading').length, 5);
  });

  it('is not restarted for ever if it takes a minute to start and then dies at its first frame', async () => {
    const rig = setUp(script);
    const recorded = await open(rig.engine);
    assert.equal((await deaths(rig, recorded, { times: 6, apart: 0, starting: 61_000 })).length, 5);
    assert.match(String(recorded.closed), /struck by frame 13/);
  });

  it('measures afresh once: what the first worker measured counts for the next ones', async () => {
    for (const [asked, next] of [
      ['fresh', 'auto'],
      ['kept', 'kept'],
    ] as const) {
      const rig = setUp(script, { calibration: asked });
      await deaths(rig, await open(rig.engine), { times: 1, apart: 0 });
      const starts = rig.told.filter((line) => line.startsWith('note 0: {"device"'));
      // A note that repeats is reported once.
      assert.deepEqual(
        starts.map((line) => /"calibration":"(\w+)"/.exec(line)?.[1]),
        [...new Set([asked, next])],
      );
    }
  });

  it('has its streams opened once in the next worker, including those opened while it starts', async () => {
    const rig = setUp(script);
    const recorded = await open(rig.engine);
    recorded.stream.push(13, { image: null }, { replace: true });
    await rig.until('restarting loading');
    assert.equal(rig.engine.state.name, 'restarting');
    const { stream } = await RecordedStream.open(rig.engine, parameters);
    stream.push(1, { image: null }, { replace: true });
    await rig.until('"type":"frame","stream":1');
    const opening = /"stream":1,"request":\d+,"question":"open"/;
    assert.equal(rig.told.filter((line) => opening.test(line)).length, 1);
  });

  it('may die any number of times if not too often', async () => {
    const rig = setUp(script);
    const recorded = await open(rig.engine);
    const delays = [100, 200, 400, 800, 1600, 1600, 1600];
    assert.deepEqual(await deaths(rig, recorded, { times: 7, apart: 12_000 }), delays);
    assert.equal(rig.engine.state.name, 'ready');
  });
});
