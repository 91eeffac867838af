import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StreamParameters } from '@millrace/protocol';
import type { EngineStream, StreamListener } from '../../src/engine/engine.js';
import { OneShot } from '../../src/session/one-shot.js';
import { createParameterRules } from '../../src/session/wire/parameters.js';
import { ManualEngine } from './manual-engine.js';

/** Stops for good while it opens a stream. */
class StoppingEngine extends ManualEngine {
  override async openStream(_parameters: StreamParameters, listener: StreamListener): Promise<never> {
    await Promise.resolve();
    const reason = new Error('the engine is stopped');
    listener.onClosed(reason);
    throw reason;
  }
}

/** Its model computes what is not a number. */
class FailingEngine extends ManualEngine {
  override openStream(_parameters: StreamParameters, listener: StreamListener): Promise<EngineStream> {
    const unused = (): Promise<never> => Promise.reject(new Error('not asked for'));
    return Promise.resolve({
      push: (frame) => listener.onDropped(frame, 'failed'),
      configure: unused,
      snapshot: unused,
      close: () => {},
    });
  }
}

describe('OneShot', () => {
  it('says by a code of its own that the model failed', async () => {
    const images = new OneShot(new FailingEngine(), createParameterRules({}), 1);
    await assert.rejects(images.generate({}, {}), { code: 'generation_failed' });
  });

  it('tells of an engine that stops while the stream opens, once', async () => {
    const images = new OneShot(new StoppingEngine(), createParameterRules({}), 1);
    await assert.rejects(images.generate({}, {}), { code: 'engine_failed' });
    // The place is free again, and no rejection is left that nobody hears, which would end the process.
    await assert.rejects(images.generate({}, {}), { code: 'engine_failed' });
    await new Promise((resolve) => setImmediate(resolve));
  });
});
