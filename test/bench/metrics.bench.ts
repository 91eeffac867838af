import { createMetrics } from '../../src/metrics/metrics.js';
import type { SessionMeter } from '../../src/metrics/session-meter.js';
import { median, report } from './report.js';

/**
 * What it costs to measure: `npm run bench -- metrics`. Each session's frames are counted and timed as the server does
 * it, then all series are rendered as for a scrape. No other work is done meanwhile.
 */
const sessions = 16;
const rounds = 20;
const framesPerRound = 2000;

const census = {
  sessions: { opening: 0, queued: 0, active: sessions, parked: 0, closing: 0 },
  slots: sessions,
  queued: 0,
  bufferedBytes: 0,
  draining: false,
};
const noGpu = (): Promise<readonly []> => Promise.resolve([]);
const metrics = createMetrics({ version: '1.0.0', model: 'a model', census: () => census }, noGpu);
const meters = Array.from({ length: sessions }, () => metrics.beginSession());

/** Everything that is counted and measured for one frame, from its arrival to the acknowledgement of its result. */
function passFrame(meter: SessionMeter, sequence: number): void {
  meter.frameReceived();
  metrics.networkBytes('in', 20_000);
  metrics.inference({ rows: 2, ms: 15 });
  meter.frameGenerated();
  const timings = { decode: 2, queue: 1, encode: 5, denoise: 20, vae_decode: 8, image_encode: 1, total: 37 };
  meter.frameSent(sequence, timings);
  metrics.networkBytes('out', 20_000);
  meter.acknowledged(sequence);
}

const frameCosts: number[] = [];
const scrapeCosts: number[] = [];
let bytes = 0;
let sequence = 0;
for (let round = 0; round < rounds; round++) {
  const start = performance.now();
  for (let frame = 0; frame < framesPerRound; frame++) {
    sequence += 1;
    passFrame(meters[frame % sessions], sequence);
  }
  const done = performance.now();
  const { body } = await metrics.render();
  bytes = body.length;
  frameCosts.push((done - start) / framesPerRound);
  scrapeCosts.push(performance.now() - done);
}

const frameMs = median(frameCosts);
report('metrics', [
  { what: 'measuring one frame', value: frameMs * 1000, unit: 'µs' },
  {
    what: 'share of one core at 100 frames a second',
    value: frameMs * 100 * 0.1,
    unit: '%',
    goal: 'under 1 %',
  },
  { what: 'one scrape', value: median(scrapeCosts), unit: 'ms' },
  { what: 'size of a scrape', value: bytes / 1024, unit: 'KiB' },
]);
