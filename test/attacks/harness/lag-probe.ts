// Imported by the server under test, which then answers each message with the lag of its event loop since the last.
// Its own metric of this begins again whenever somebody reads the metrics, attackers included.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const resolutionMs = 10;

if (isMainThread) {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  process.on('message', () => {
    const lag = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - resolutionMs / 1000);
    process.send?.({ p99: lag(delays.percentile(99)), max: lag(delays.max) });
    delays.reset();
  });
  // It keeps no server from ending.
  process.channel?.unref();
}
