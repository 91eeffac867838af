import { motionJpegFrames } from '../../support/frames.js';
import type { Attack, AttackCase } from '../attack.js';
import { frameAttack } from '../clients/frame-attack.js';

/** Each client is a stream of this size that asks for more frames than the server can make. */
function streamsOf(side: number): Attack {
  return frameAttack({
    name: `streams-${side}`,
    pictures: () => Promise.resolve(motionJpegFrames('walkers.mjpeg')),
    parameters: () => ({ width: side, height: side }),
  });
}

const smallStreams = streamsOf(256);
export const largeStreams = streamsOf(512);

/** One stream of 512x512 and three of 256x256, seen from each kind: equal shares within a fifth. */
export const sizeCases: readonly AttackCase[] = [
  {
    name: 'size-small',
    what: 'a stream of 256x256 next to two such and one of 512x512',
    parts: [
      { attack: smallStreams, clients: 2 },
      { attack: largeStreams, clients: 1 },
    ],
    streams: 3,
    bystander: { parameters: { width: 256, height: 256 }, greedy: true },
  },
  {
    name: 'size-large',
    what: 'a stream of 512x512 next to three of 256x256; no more than its share',
    parts: [{ attack: smallStreams, clients: 3 }],
    streams: 3,
    bystander: { parameters: { width: 512, height: 512 }, greedy: true, most: 1.2 },
  },
];
