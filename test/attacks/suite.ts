import type { Attack, AttackCase } from './attack.js';
import { decodingCases } from './cases/decoding.js';
import { descriptorCases } from './cases/descriptors.js';
import { floodCases } from './cases/floods.js';
import { metadataCases } from './cases/metadata.js';
import { mixedCase, soakParts } from './cases/mixed.js';
import { newcomerCases } from './cases/newcomers.js';
import { shapeCases } from './cases/shapes.js';
import { sizeCases } from './cases/sizes.js';
import { txt2imgCases } from './cases/txt2img.js';

/** All attacks that try to stop a server or to keep others from their frames. */
export const suite: readonly AttackCase[] = [
  ...metadataCases,
  ...newcomerCases,
  ...descriptorCases,
  ...floodCases,
  ...decodingCases,
  ...txt2imgCases,
  ...sizeCases,
  ...shapeCases,
  mixedCase,
];

const parts = suite.flatMap((attackCase) => attackCase.parts).concat(soakParts);
const attacks = new Map(parts.map(({ attack }) => [attack.name, attack]));

/** @throws {Error} if there is no such attack. */
export function attackNamed(name: string): Attack {
  const attack = attacks.get(name);
  if (attack === undefined) throw new Error(`unknown attack: ${name}`);
  return attack;
}
