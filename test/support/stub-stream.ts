import type { EngineStream } from '../../src/engine/engine.js';

/** Returns a stream that does nothing with frames and answers no question, except as `own` says. */
export function stubStream(own: Partial<EngineStream>): EngineStream {
  const unexpected = (): Promise<never> => Promise.reject(new Error('not asked for'));
  return { push: () => {}, configure: unexpected, snapshot: unexpected, close: () => {}, ...own };
}
