export { describeAllowed } from './allowed.js';
export type { ControlSettings, ModelControl } from './controls.js';
export { numberFromText, parameterFromText } from './from-text.js';
export * from './model-parameters.js';
export * from './parameter-schema.js';
export { modes } from './picture.js';
export { chosenSolvers, solverNames, solverParameterNames, type SolverName } from './solvers.js';
export { styleImageBytes } from './style.js';
export * from './table.js';
