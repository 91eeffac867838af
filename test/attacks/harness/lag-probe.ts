// Imported by the server under test: answers each message with the event-loop lag since the previous message. The
// server's own metric cannot be used: it restarts at each reading, including those of attackers.
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
  // Does not keep the server from exiting.
  process.channel?.unref();
}
