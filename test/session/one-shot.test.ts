import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import type { StreamParameters } from '@millrace/protocol';
import { ParameterError, type EngineStream, type StreamListener } from '../../src/engine/engine.js';
import { anonymous, type GrantLimits } from '../../src/session/access/grant.js';
import { deferred } from '../../src/engine/deferred.js';
import type { Caller, ImageRequest } from '../../src/session/one-shot.js';
import { Sessions } from '../../src/session/live/sessions.js';
import { imagesOf } from './images.js';
import { stubStream } from '../support/stub-stream.js';
import { ManualEngine } from './manual-engine.js';

/** An engine that stops permanently while it opens a stream. */
class StoppingEngine extends ManualEngine {
  override async openStream(_parameters: StreamParameters, listener: StreamListener): Promise<never> {
    await Promise.resolve();
    const reason = new Error('the engine is stopped');
    listener.onClosed(reason);
    throw reason;
  }
}

/** An engine whose model computes NaN. */
class FailingEngine extends ManualEngine {
  override openStream(_parameters: StreamParameters, listener: StreamListener): Promise<EngineStream> {
    return Promise.resolve(stubStream({ push: (frame) => listener.onDropped(frame, 'failed') }));
  }
}

const connected = new AbortController().signal;

function caller(name = 'somebody', limits: GrantLimits = {}, gone: AbortSignal = connected): Caller {
  return { name, grant: { ...anonymous, subject: name, limits }, gone };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Lets the engine finish the image that it was asked for last. */
async function finishLast(engine: ManualEngine): Promise<void> {
  await turn();
  const stream = engine.streams.at(-1);
  assert.ok(stream);
  stream.admit();
  stream.finish();
}

describe('OneShot', () => {
  it('reports a failure of the model with its own error code', async () => {
    const images = imagesOf(new FailingEngine());
    await assert.rejects(images.generate({ parameters: {} }, caller()), { code: 'generation_failed' });
  });

  it('reports an engine that stops while the stream opens, once', async () => {
    const images = imagesOf(new StoppingEngine());
    await assert.rejects(images.generate({ parameters: {} }, caller()), { code: 'engine_failed' });
    // The place is free again, and no unhandled rejection is left, which would end the process.
    await assert.rejects(images.generate({ parameters: {} }, caller()), { code: 'engine_failed' });
    await turn();
  });

  it('leaves no stream and no listener behind, and reports why a stream could not be opened', async () => {
    const engine = new ManualEngine();
    const images = imagesOf(engine);
    const { signal } = new AbortController();
    const image = images.generate({ parameters: {} }, caller('a', {}, signal));
    await finishLast(engine);
    await image;
    assert.equal(engine.streams.at(-1)?.closed, true);
    assert.deepEqual(getEventListeners(signal, 'abort'), []);
    engine.refusal = new ParameterError('steps', 'not with this model');
    await assert.rejects(images.generate({ parameters: {} }, caller()), engine.refusal);
    engine.refusal = new Error('out of memory');
    await assert.rejects(images.generate({ parameters: {} }, caller()), { code: 'engine_failed' });
  });

  it('runs all images in one account', async () => {
    const engine = new ManualEngine();
    const images = imagesOf(engine);
    for (const name of ['a', 'b']) {
      const image = images.generate({ parameters: {} }, caller(name));
      await finishLast(engine);
      assert.ok((await image).length > 0);
    }
    assert.deepEqual([...new Set(engine.accounts)], ['images']);
  });

  it('cancels the image of a client that disconnects, before or after work on it began', async () => {
    const engine = new ManualEngine();
    const images = imagesOf(engine, { most: 1 });
    const goneAtOnce = new AbortController();
    goneAtOnce.abort();
    await assert.rejects(images.generate({ parameters: {} }, caller('a', {}, goneAtOnce.signal)), /gone/);
    assert.equal(engine.streams.at(-1)?.closed, true);
    assert.deepEqual(engine.streams.at(-1)?.pushed, []);

    const goesLater = new AbortController();
    const image = images.generate({ parameters: {} }, caller('a', {}, goesLater.signal));
    await turn();
    assert.deepEqual(engine.streams.at(-1)?.pushed, [0]);
    goesLater.abort();
    await assert.rejects(image, /gone/);
    assert.equal(engine.streams.at(-1)?.closed, true);

    const next = images.generate({ parameters: {} }, caller());
    await finishLast(engine);
    await next;
  });

  it('counts images as sessions for the limit of a token', async () => {
    const engine = new ManualEngine();
    const sessions = new Sessions(0, 0);
    const images = imagesOf(engine, { sessions });
    const limited = caller('somebody', { sessions: 2 });
    const forget = sessions.expect('somebody');
    const first = images.generate({ parameters: {} }, limited);
    await turn();
    await assert.rejects(images.generate({ parameters: {} }, limited), { code: 'too_many_sessions' });
    assert.equal(sessions.count('somebody'), 2, 'the image counts for a new session too');
    await finishLast(engine);
    await first;
    forget();
    assert.equal(sessions.count('somebody'), 0);
  });

  it('limits each user to the frames per second of the token', async () => {
    const engine = new ManualEngine();
    const images = imagesOf(engine);
    const ask = async (name: string, fps: number): Promise<unknown> => {
      const image = images.generate({ parameters: {} }, caller(name, { fps }));
      const refused = image.then(
        () => null,
        (error: unknown) => error,
      );
      await turn();
      const stream = engine.streams.at(-1);
      if (stream && !stream.closed) await finishLast(engine);
      return refused;
    };
    assert.equal(await ask('slow', 0.001), null);
    const { code, message } = (await ask('slow', 0.001)) as { code: string; message: string };
    assert.deepEqual([code, message], ['rate_limited', 'more than 0.001 images per second']);
    assert.equal(await ask('other', 0.001), null);
    for (let i = 0; i < 3; i++) assert.equal(await ask('quick', 3), null);
  });

  it('limits all users to a number of images per minute', async () => {
    const engine = new ManualEngine();
    const images = imagesOf(engine, { perMinute: 2 });
    for (let i = 0; i < 2; i++) {
      await assert.rejects(images.generate({ parameters: { steps: 'many' } }, caller()), {
        name: 'ParameterError',
      });
    }
    await assert.rejects(images.generate({ parameters: {} }, caller()), {
      code: 'rate_limited',
      message: 'more than 2 images per minute',
    });
  });

  it('leaves half of the places to other users', async () => {
    const engine = new ManualEngine();
    const images = imagesOf(engine, { most: 4 });
    const leave = new AbortController();
    const begun = [1, 2].map(() => images.generate({ parameters: {} }, caller('greedy', {}, leave.signal)));
    await turn();
    await assert.rejects(images.generate({ parameters: {} }, caller('greedy')), {
      code: 'too_many_sessions',
    });
    const others = ['a', 'b'].map((name) =>
      images.generate({ parameters: {} }, caller(name, {}, leave.signal)),
    );
    await turn();
    await assert.rejects(images.generate({ parameters: {} }, caller('c')), { code: 'too_many_sessions' });
    leave.abort();
    const outcomes = await Promise.allSettled([...begun, ...others]);
    assert.ok(outcomes.every(({ status }) => status === 'rejected'));
  });

  it('reads a request only when there is a place, and frees the place if reading fails', async () => {
    const images = imagesOf(new ManualEngine(), { most: 1, perMinute: 3 });
    let reads = 0;
    const read = deferred<ImageRequest>();
    const asked = (): Promise<ImageRequest> => {
      reads += 1;
      return read.promise;
    };
    const first = images.generate(asked, caller('a'));
    assert.deepEqual(images.recent(0), [], 'its parameters are unknown');
    await assert.rejects(images.generate(asked, caller('b')), { code: 'too_many_sessions' });
    assert.equal(reads, 1);
    read.reject(new Error('the upload was aborted'));
    await assert.rejects(first, /aborted/);
    for (let i = 0; i < 2; i++) await assert.rejects(images.generate(asked, caller('a')), /aborted/);
    await assert.rejects(images.generate(asked, caller('a')), { code: 'rate_limited' });
    assert.equal(reads, 3);
  });

  it('returns the images that were in progress recently', async () => {
    const engine = new ManualEngine();
    const images = imagesOf(engine);
    const image = images.generate({ parameters: { width: 128 } }, caller());
    await turn();
    assert.deepEqual(
      images.recent(0).map(({ width }) => width),
      [128],
    );
    await finishLast(engine);
    await image;
    assert.equal(images.recent(60_000).length, 1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(images.recent(0).length, 0);
  });

  it('allows the rate of a token, as a burst and over time, but never more than the general limit', async (t) => {
    let now = 1e6;
    t.mock.method(performance, 'now', () => now);
    const images = imagesOf(new ManualEngine(), { perMinute: 120 });
    /** Returns how many images are allowed now, and the message of the next refusal. */
    const allowed = async (name: string, fps: number): Promise<readonly [number, string]> => {
      for (let count = 0; ; count++) {
        const outcome = images.generate(
          { parameters: { steps: 'many' } },
          caller(name, fps === 0 ? {} : { fps }),
        );
        const refusal = (await outcome.catch((error: unknown) => error)) as {
          code?: string;
          message: string;
        };
        if (refusal.code === 'rate_limited') return [count, refusal.message];
      }
    };
    assert.deepEqual(await allowed('all', 0), [120, 'more than 120 images per minute']);
    assert.deepEqual(await allowed('as many', 2), [120, 'more than 120 images per minute']);
    assert.deepEqual(await allowed('fewer', 1.5), [1, 'more than 1.5 images per second']);
    assert.deepEqual(await allowed('few', 0.5), [1, 'more than 0.5 images per second']);
    now += 3000;
    assert.deepEqual(await allowed('all', 0), [6, 'more than 120 images per minute']);
    assert.deepEqual(await allowed('few', 0.5), [1, 'more than 0.5 images per second']);
    now += 1900;
    assert.equal((await allowed('few', 0.5))[0], 0);
    assert.equal((await allowed('few', 1))[0], 1, 'another token, another rate');
  });

  it('returns recent images and those in progress', async (t) => {
    let now = 1e6;
    t.mock.method(performance, 'now', () => now);
    const engine = new ManualEngine();
    const images = imagesOf(engine);
    const first = images.generate({ parameters: { prompt: 'first' } }, caller());
    assert.deepEqual(
      images.recent(0).map(({ prompt, mode }) => [prompt, mode]),
      [['first', 'txt2img']],
    );
    now += 5000;
    assert.equal(images.recent(0).length, 1);
    await finishLast(engine);
    await first;
    now += 1000;
    assert.equal(images.recent(1000).length, 1);
    now += 1;
    assert.equal(images.recent(1000).length, 0);
  });

  it('rounds half of the places up, and applies the limits of the token', async () => {
    const engine = new ManualEngine();
    const images = imagesOf(engine, { most: 3 });
    const leave = new AbortController();
    const begun = [1, 2].map(() => images.generate({ parameters: {} }, caller('a', {}, leave.signal)));
    await turn();
    await assert.rejects(images.generate({ parameters: {} }, caller('a')), {
      code: 'too_many_sessions',
      message: 'too many images are being generated; try again in a moment',
    });
    await assert.rejects(images.generate({ parameters: { steps: 4 } }, caller('b', { steps: 3 })), {
      code: 'limit_exceeded',
    });
    engine.state = { name: 'starting', what: 'loading' };
    await assert.rejects(images.generate({ parameters: {} }, caller('b')), { code: 'not_ready' });
    leave.abort();
    for (const image of begun) await assert.rejects(image, /gone/);
  });
});
