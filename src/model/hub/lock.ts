import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const pollMs = 500;

/**
 * Does something while no other process that asks for the same lock does. The lock of a process that was killed
 * counts for nothing after ten seconds.
 * @param path of the lock; the folder above it is made.
 * @param onWait is called once if another process has it.
 */
export async function withLock<T>(
  path: string,
  options: { readonly signal: AbortSignal; onWait(): void },
  action: () => Promise<T>,
): Promise<T> {
  // It listens to signals once it is loaded.
  const { lock } = await import('proper-lockfile');
  await mkdir(dirname(path), { recursive: true });
  const acquire = (): ReturnType<typeof lock> =>
    // One that is lost costs a second download: what is downloaded is checked, and put in place in one go.
    lock(path, { lockfilePath: path, realpath: false, onCompromised: () => {} });
  for (let waiting = false; ;) {
    let release: Awaited<ReturnType<typeof acquire>>;
    try {
      release = await acquire();
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ELOCKED')) throw error;
      if (!waiting) options.onWait();
      waiting = true;
      await setTimeout(pollMs, undefined, { signal: options.signal });
      continue;
    }
    try {
      return await action();
    } finally {
      // It may have been lost already.
      await release().catch(() => {});
    }
  }
}
