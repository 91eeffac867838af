import type { ProviderStatus } from '../device.js';
import { startInferenceThread } from './inference-thread.js';

/** Tests which execution providers work on this machine, with a tiny graph on each. @param file code of the thread. */
export async function probeProviders(
  file = new URL('../worker/probe.js', import.meta.url),
): Promise<readonly ProviderStatus[]> {
  const worker = startInferenceThread(file);
  return new Promise((resolve, reject) => {
    let statuses: readonly ProviderStatus[] | null = null;
    worker.once('message', (message: readonly ProviderStatus[]) => (statuses = message));
    worker.once('error', reject);
    // Only then the process can end without aborting a call.
    worker.once('exit', () => {
      if (statuses === null) reject(new Error('the provider probe ended without an answer'));
      else resolve(statuses);
    });
  });
}
