import type { Attack, AttackCase } from '../attack.js';
import { frameAttack } from '../clients/frame-attack.js';
import { loadedJpeg } from '../pictures/jpegs.js';
import { blackPng, rawChunk, swollenChunks } from '../pictures/pngs.js';
import { loadedWebp } from '../pictures/webps.js';

const MiB = 1024 * 1024;
const sixty = Array.from({ length: 60 });

/** Sends text chunks of a few kilobytes that unpack to 8 MiB each. */
function packedText(name: string, kind: 'zTXt' | 'iTXt'): Attack {
  const pictures = (): Promise<readonly Uint8Array[]> => {
    const chunk = swollenChunks[kind](8 * MiB);
    const chunks = sixty.map(() => chunk);
    return Promise.resolve([blackPng(64, 64, chunks)]);
  };
  return frameAttack({ name, pictures });
}

export const metadata = packedText('png-ztxt', 'zTXt');

const plain = frameAttack({
  name: 'metadata',
  async pictures({ message_bytes: limit }) {
    const text = rawChunk('tEXt', Math.floor(limit / 70));
    const texts = sixty.map(() => text);
    return [
      blackPng(64, 64, [swollenChunks.iCCP(64 * MiB)]),
      blackPng(64, 64, [rawChunk('eXIf', limit - 64 * 1024)]),
      blackPng(64, 64, texts),
      loadedWebp(Math.floor(limit / 3) - 1024),
      await loadedJpeg(limit - 256 * 1024),
    ];
  },
});

export const metadataCases: readonly AttackCase[] = [
  ...[metadata, packedText('png-itxt', 'iTXt')].map((attack) => ({
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
