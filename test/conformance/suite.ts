import { accessCases } from './cases/access.js';
import { continuityCases } from './cases/continuity.js';
import { flowCases } from './cases/flow.js';
import { toleranceCases } from './cases/tolerance.js';
import type { Case } from './cases/types.js';

/** All that a client of protocol 1.0 must or should do, as far as visible from outside. */
export const suite: readonly Case[] = [...flowCases, ...toleranceCases, ...accessCases, ...continuityCases];
