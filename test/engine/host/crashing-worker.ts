import { parentPort } from 'node:worker_threads';

/** The engine's worker, which dies of an unexpected error at frame 13. */
parentPort?.on('message', (message: { type: string; frame?: number }) => {
  if (message.type === 'frame' && message.frame === 13) throw new Error('struck by frame 13');
});
await import('../../../src/engine/worker/main.js');
