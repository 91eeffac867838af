import { parentPort } from 'node:worker_threads';
import type { ProviderStatus } from '../device.js';
import { candidates, missing, noGpu, surroundings, tryDevice } from './devices/providers.js';

/** Tells which providers work on this machine, and ends. */
async function main(port: NonNullable<typeof parentPort>): Promise<void> {
  const here = surroundings();
  const statuses: ProviderStatus[] = [];
  for (const provider of ['cpu', ...new Set([...candidates(here), 'tensorrt' as const])] as const) {
    // TensorRT matters where CUDA does.
    if (provider === 'tensorrt' && !here.known.includes(provider)) continue;
    const reason =
      (provider === 'cpu' ? null : noGpu(provider, here)) ??
      missing(provider, here) ??
      (await tryDevice({ provider, index: 0 }));
    statuses.push({ provider, reason });
  }
  port.postMessage(statuses);
  port.close();
}

if (parentPort === null) throw new Error('this file runs in a worker thread');
await main(parentPort);
