import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const pollMs = 500;

/**
 * Runs an action while no other process has the lock. The lock of a process that was killed expires after ten seconds.
 * @param path of the lock; its folder is created.
 * @param onWait called once if another process has the lock.
 */
export async function withLock<T>(
  path: string,
  options: { readonly signal: AbortSignal; onWait(): void },
  action: () => Promise<T>,
): Promise<T> {
  // Imported late, since it installs signal handlers.
  const { lock } = await import('proper-lockfile');
  await mkdir(dirname(path), { recursive: true });
  const acquire = (): ReturnType<typeof lock> =>
    // A lost lock only costs a second download: files are checked, and moved into place atomically.
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
