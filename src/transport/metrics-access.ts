import type { Access } from '../session/access/access.js';
import { sameText } from '../session/access/secrets.js';

export interface MetricsAccess {
  readonly access: Access;
  /** Token for the metrics; empty for any token of a session, if those are required. */
  readonly metricsToken: string;
}

/** Returns whether a request with this token may read the metrics. */
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
