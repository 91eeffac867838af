import { parentPort } from 'node:worker_threads';

/** The engine's worker, which dies of frame 13: an error that nobody in it expected. */
parentPort?.on('message', (message: { type: string; frame?: number }) => {
  if (message.type === 'frame' && message.frame === 13) throw new Error('struck by frame 13');
});
await import('../../../src/engine/worker/main.js');
