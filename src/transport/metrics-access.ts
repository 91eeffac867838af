import { createHash, timingSafeEqual } from 'node:crypto';
import type { Access } from '../session/access/access.js';

export interface MetricsAccess {
  readonly access: Access;
  /** What reads the metrics; empty for any token where tokens are asked for. */
  readonly metricsToken: string;
}

/** Whether a request with this token may read the metrics. */
export async function mayReadMetrics(
  token: string | undefined,
  { access, metricsToken }: MetricsAccess,
): Promise<boolean> {
  if (metricsToken !== '') return token !== undefined && sameText(token, metricsToken);
  return access.verify(token).then(
    () => true,
    () => false,
  );
}

/** Compares in a time that says nothing of where they differ. */
export function sameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
