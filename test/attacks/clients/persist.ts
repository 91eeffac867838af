import { setTimeout as sleep } from 'node:timers/promises';
import type { Target } from '../attack.js';

/** Milliseconds until a failed attempt is repeated. */
const pause = 200;

/** Repeats `work` until the signal aborts; counts its failures. */
export async function persist(
  target: Pick<Target, 'count'>,
  signal: AbortSignal,
  work: () => Promise<unknown>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
    } catch (error) {
      if (signal.aborted) return;
      target.count(error instanceof Error && 'code' in error ? `failed: ${String(error.code)}` : 'failed');
      await sleep(pause);
    }
  }
}

/** Does the same with all clients of the target. */
export async function persistAll(
  target: Pick<Target, 'count' | 'clients'>,
  signal: AbortSignal,
  work: (client: number) => Promise<unknown>,
): Promise<void> {
  const clients = Array.from({ length: target.clients }, (_, client) =>
    persist(target, signal, () => work(client)),
  );
  await Promise.all(clients);
}
