export * from './schema.js';
export { solverNames, solversWith, type SolverName, type SolverOption } from './solvers.js';
export type * from './types.js';
