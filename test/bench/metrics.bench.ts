import { once } from 'node:events';
import { createServer } from 'node:http';
import type { FrameTracer } from '../../src/metrics/frame-tracer.js';
import { createMetrics, type Metrics } from '../../src/metrics/metrics.js';
import { openTraces } from '../../src/metrics/open-traces.js';
import type { SessionMeter } from '../../src/metrics/session-meter.js';
import { median, report } from './report.js';

/**
 * The cost of measuring: `npm run bench -- metrics`. Each session's frames are counted and timed as in the server, then
 * all series are rendered as for a scrape. Nothing else runs at the same time.
 */
const sessions = 16;
const rounds = 20;
const framesPerRound = 2000;

const census = {
  sessions: { opening: 0, queued: 0, active: sessions, parked: 0, closing: 0 },
  slots: sessions,
  limited: 0,
  queued: 0,
  bufferedBytes: 0,
  draining: false,
};
const slo = { fps: 10, latencySeconds: 0.5 };
const noGpu = (): Promise<readonly []> => Promise.resolve([]);

/** Counts and measures one frame as the server does, from its arrival to the acknowledgement of its result. */
function passFrame(metrics: Metrics, meter: SessionMeter, sequence: number): void {
  meter.frameReceived();
  metrics.networkBytes('in', 20_000);
  metrics.inference({ rows: 2, ms: 15, pictureMs: 10 });
  meter.frameGenerated();
  const timings = { decode: 2, queue: 1, encode: 5, denoise: 20, vae_decode: 8, image_encode: 1, total: 37 };
  meter.frameSent(sequence, timings);
  metrics.networkBytes('out', 20_000);
  meter.acknowledged(sequence);
}

/** Measures milliseconds per frame and per scrape, and the size of a scrape in bytes. @param tracer null for none. */
async function measure(
  tracer: FrameTracer | null,
): Promise<{ frame: number; scrape: number; bytes: number }> {
  const metrics = createMetrics(
    { version: '1.0.0', model: 'a model', slo, census: () => census, tracer },
    noGpu,
  );
  const meters = Array.from({ length: sessions }, () => metrics.beginSession());
  const frameCosts: number[] = [];
  const scrapeCosts: number[] = [];
  let bytes = 0;
  let sequence = 0;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    for (let frame = 0; frame < framesPerRound; frame++) {
      sequence += 1;
      passFrame(metrics, meters[frame % sessions], sequence);
    }
    const done = performance.now();
    const { body } = await metrics.render();
    bytes = body.length;
    frameCosts.push((done - start) / framesPerRound);
    scrapeCosts.push(performance.now() - done);
  }
  return { frame: median(frameCosts), scrape: median(scrapeCosts), bytes };
}

/** A collector that accepts traces as fast as possible. */
const collector = createServer((request, response) => {
  request.resume().on('end', () => response.setHeader('content-type', 'application/json').end('{}'));
});
await once(collector.listen(0, '127.0.0.1'), 'listening');
const address = collector.address();
if (address === null || typeof address === 'string') throw new Error('the collector has no address');
process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${address.port}`;

await measure(null);
const plain = await measure(null);
const traces = await openTraces('1.0.0', process.env);
const traced = await measure(traces);
await traces?.[Symbol.asyncDispose]();
collector.close();
collector.closeAllConnections();

/** A high rate for one process, in frames per second. */
const frameRate = 300;
/** Returns the share of the main thread, in percent, that `ms` per frame take; all measuring happens there. */
const share = (ms: number): number => 100 * (ms / 1000) * frameRate;
report('metrics', [
  { what: 'measuring one frame', value: plain.frame * 1000, unit: 'µs' },
  { what: 'the same with traces of 1% of the frames', value: traced.frame * 1000, unit: 'µs' },
  {
    what: `overhead of both at ${frameRate} frames a second`,
    value: share(traced.frame),
    unit: '%',
    goal: 'under 1 %',
  },
  { what: 'one scrape', value: plain.scrape, unit: 'ms' },
  { what: 'size of a scrape', value: plain.bytes / 1024, unit: 'KiB' },
]);
