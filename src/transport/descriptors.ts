import type { Logger } from 'pino';

/** Connections at the same time if the operator sets no number. */
const defaultConnections = 10_000;
/**
 * Reserved for models, logs, threads and graphics drivers: a number of descriptors, or a part of all if that is more.
 */
const reserve = { least: 64, part: 1 / 4 };

/**
 * Returns how many files and sockets this process may have open (`ulimit -n`); infinity if there is no such limit, as
 * on Windows.
 */
export function descriptorLimit(): number {
  const report: unknown = process.report.getReport();
  const { userLimits } = report as { readonly userLimits?: { readonly open_files?: { soft: unknown } } };
  const soft = userLimits?.open_files?.soft;
  return typeof soft === 'number' ? soft : Infinity;
}

/** Returns how many connections the server may have, and warns if they are fewer than the operator asked for. */
export function usableConnections(asked: number, log: Pick<Logger, 'warn'>): number {
  const limit = descriptorLimit();
  const connections = connectionRoom(asked, limit);
  if (connections < asked) {
    const words =
      'the limit of open files allows fewer connections than maxConnections; raise it (ulimit -n)';
    log.warn({ connections, limit }, words);
  }
  return connections;
}

/**
 * Returns how many connections there are descriptors for, at most the number asked for.
 * @param asked by the operator; 0 for the default.
 */
export function connectionRoom(asked: number, limit: number): number {
  const room = Math.floor(limit - Math.max(reserve.least, limit * reserve.part));
  return Math.max(
    1,
    Math.min(asked === 0 ? defaultConnections : asked, limit === Infinity ? Infinity : room),
  );
}
