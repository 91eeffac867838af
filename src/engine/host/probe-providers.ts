import type { ProviderStatus } from '../device.js';
import { startInferenceThread } from './inference-thread.js';

/** Which execution providers work on this machine, found out by running a tiny graph on each. @param file of the thread that does. */
export async function probeProviders(
  file = new URL('../worker/probe.js', import.meta.url),
): Promise<readonly ProviderStatus[]> {
  const worker = startInferenceThread(file);
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the probe of the providers ended without an answer')));
  });
}
