export { describeAllowed } from './allowed.js';
export * from './row.js';
export * from './schema.js';
export { solverNames, type SolverName } from './solvers.js';
export * from './table.js';
