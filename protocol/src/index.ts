export * from './codec.js';
export * from './errors.js';
export type * from './http.js';
export * from './looks.js';
export * from './messages/index.js';
export type * from './operator.js';
export * from './parameters/index.js';
export * from './show-value.js';
export * from './understood.js';
