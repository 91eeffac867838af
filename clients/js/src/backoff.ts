const first = 250;
const longest = 8000;

/**
 * How long to wait before a try, in milliseconds: exponential backoff with full jitter, so that the many clients of
 * a server that went away do not all come at once.
 * @param attempt 0 for the first.
 */
export function pauseBefore(attempt: number): number {
  return Math.random() * Math.min(longest, first * 2 ** attempt);
}

/**
 * Waits for `time` milliseconds.
 * @throws the reason of `signal` (as rejection) as soon as it is aborted.
 */
export async function pause(time: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, time);
    signal.addEventListener('abort', abort, { once: true });
  });
}
