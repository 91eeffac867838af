import type { AttackCase } from '../attack.js';
import { largestPictures } from './decoding.js';
import { silentConnections, slowRequests } from './descriptors.js';
import { mixedFlood, requestFlood } from './floods.js';
import { metadata } from './metadata.js';
import { arrivals, oneShots } from './newcomers.js';
import { extremeShapes } from './shapes.js';
import { largeStreams } from './sizes.js';
import { goneAway, smallGoneAway } from './txt2img.js';

/** A few attackers of most kinds, to run among other clients: they start fast and leave time for others. */
export const soakParts: AttackCase['parts'] = [
  { attack: metadata, clients: 1 },
  { attack: oneShots, clients: 1 },
  { attack: smallGoneAway, clients: 1 },
  { attack: arrivals, clients: 1 },
  { attack: slowRequests, clients: 20 },
  { attack: mixedFlood, clients: 1 },
  { attack: requestFlood, clients: 1 },
  { attack: extremeShapes, clients: 1 },
];

export const mixedCase: AttackCase = {
  name: 'mixed',
  what: 'ulimit -n 1024, attackers of every kind and 1,000 silent connections',
  parts: [
    { attack: metadata, clients: 1 },
    { attack: oneShots, clients: 2 },
    { attack: goneAway, clients: 2 },
    { attack: arrivals, clients: 1 },
    { attack: silentConnections, clients: 1000 },
    { attack: mixedFlood, clients: 8 },
    { attack: requestFlood, clients: 1 },
    { attack: largestPictures, clients: 1 },
    { attack: largeStreams, clients: 1 },
    { attack: extremeShapes, clients: 1 },
  ],
  // Pictures with metadata, arrivals, the largest pictures, 512x512, odd shapes; and the one-shots.
  streams: 6,
  openFiles: 1024,
};
