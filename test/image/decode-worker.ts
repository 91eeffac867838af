// Decodes a file and prints how far this process's memory rose: node decode-worker.js FILE MAX_PIXELS
import { readFileSync } from 'node:fs';
import { decodeImage } from '../../src/image/decode.js';
import { encodeImage } from '../../src/image/encode.js';
import { ImageError } from '../../src/image/image.js';

const [, , path = '', maxPixels = ''] = process.argv;
const file = readFileSync(path);
// Memory that each decoder allocates once is not a cost of the file.
const small = { width: 64, height: 64, data: new Uint8Array(64 * 64 * 3) };
for (const format of ['jpeg', 'png', 'webp'] as const) {
  await decodeImage(await encodeImage(small, format, 80), { maxPixels: 64 * 64 });
}
const before = process.memoryUsage.rss();
const outcome = await decodeImage(file, { maxPixels: Number(maxPixels) }).then(
  ({ width, height }) => `${width}x${height}`,
  (error: unknown) => {
    if (error instanceof ImageError) return 'refused';
    throw error;
  },
);
const growth = peak() - before;
console.log(JSON.stringify({ outcome, growth }));

/** Returns the peak memory so far, in bytes. On Linux `maxRSS` includes the peak of the parent process. */
function peak(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024;
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
