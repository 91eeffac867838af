/** Connections at the same time if the operator has set no number. */
const usualMost = 10_000;
/**
 * What is left for models, logs, threads and graphics drivers: a number of descriptors, or a part of all if that is
 * more.
 */
const reserve = { least: 64, part: 1 / 4 };

/**
 * Files and sockets that this process may have open (`ulimit -n`); infinity where there is no such limit, as on
 * Windows.
 */
export function descriptorLimit(): number {
  const report: unknown = process.report.getReport();
  const { userLimits } = report as { readonly userLimits?: { readonly open_files?: { soft: unknown } } };
  const soft = userLimits?.open_files?.soft;
  return typeof soft === 'number' ? soft : Infinity;
}

/**
 * Returns for how many connections there are descriptors, at most as many as were asked for.
 * @param asked how many the operator wants; 0 for the usual number.
 */
export function connectionRoom(asked: number, limit: number): number {
  const room = Math.floor(limit - Math.max(reserve.least, limit * reserve.part));
  return Math.max(1, Math.min(asked === 0 ? usualMost : asked, limit === Infinity ? Infinity : room));
}
