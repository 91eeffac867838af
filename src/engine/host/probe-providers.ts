import type { ProviderStatus } from '../device.js';
import { startInferenceThread } from './inference-thread.js';

/** Tests which execution providers work on this machine, with a tiny graph on each. @param file code of the thread. */
export async function probeProviders(
  file = new URL('../worker/probe.js', import.meta.url),
): Promise<readonly ProviderStatus[]> {
  const worker = startInferenceThread(file);
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the provider probe ended without an answer')));
  });
}
