/** More connections than these at the same time want to be asked for. */
const usualMost = 10_000;
/** Descriptors, and the part of all, that are left for models, logs, threads and graphics drivers. */
const reserve = { least: 64, part: 1 / 4 };

/** Files and sockets that this process may have open (`ulimit -n`); infinity where nothing says so, as on Windows. */
export function descriptorLimit(): number {
  const report: unknown = process.report.getReport();
  const { userLimits } = report as { readonly userLimits?: { readonly open_files?: { soft: unknown } } };
  const soft = userLimits?.open_files?.soft;
  return typeof soft === 'number' ? soft : Infinity;
}

/**
 * Connections for which there are descriptors.
 * @param asked how many the operator wants; 0 for as many as is usual.
 */
export function connectionRoom(asked: number, limit: number): number {
  const room = Math.floor(limit - Math.max(reserve.least, limit * reserve.part));
  return Math.max(1, Math.min(asked === 0 ? usualMost : asked, limit === Infinity ? Infinity : room));
}
