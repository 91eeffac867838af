import { runLoad } from '../../../src/cli/bench-load/run-load.js';
import { percentile } from '../../../src/cli/percentile.js';
import { realJpegs } from '../../support/pictures.js';
import { startServer, type ServerProcess } from '../../support/server-process.js';

/** What users of one server get, each with a camera of 30 frames per second. */
export interface UserFigures {
  /** Users who were served; the others were not. */
  readonly served: number;
  /** Frames per second of each, ascending. */
  readonly each: readonly number[];
  readonly sum: number;
  /** Milliseconds from the capture of a frame to the display of its result; null if there was none. */
  readonly latencyMs: { readonly p50: number; readonly p95: number } | null;
}

const camera = 30;
/** Nobody is refused: the table shows also what too many users get. */
const open = ['--slo-fps', '0', '--slo-latency-seconds', '0', '--max-call-seconds', '0'];
const limits = ['--max-sessions', '64', '--max-connections-per-address', '256', '--grace-seconds', '0'];

/** Starts a server whose end is also that of this process. */
export async function startDeviceServer(
  model: string,
  options: { readonly device: string; readonly threads: number; readonly cacheDirectory: string },
): Promise<ServerProcess> {
  const { device, threads, cacheDirectory } = options;
  const engine = ['--device', device, '--threads', `${threads}`, '--cache-directory', cacheDirectory];
  const server = await startServer('--model', model, ...engine, ...open, ...limits);
  process.once('exit', () => server.child.kill());
  return server;
}

export async function measureUsers(
  { url }: ServerProcess,
  users: number,
  { side, seconds }: { readonly side: number; readonly seconds: number },
): Promise<UserFigures> {
  const results = await runLoad({
    url,
    token: undefined,
    parameters: { width: side, height: side, prompt: 'oil painting' },
    fps: camera,
    pictures: await realJpegs(side, side),
    sessions: users,
    seconds,
    processes: 4,
    signal: new AbortController().signal,
  });
  const served = results.filter(({ outcome }) => outcome === 'served');
  const each = served.map(({ latencies, seconds: open }) => latencies.length / open).sort((a, b) => a - b);
  const latencies = served.flatMap((result) => result.latencies).sort((a, b) => a - b);
  return {
    served: served.length,
    each,
    sum: each.reduce((sum, fps) => sum + fps, 0),
    latencyMs:
      latencies.length > 0 ? { p50: percentile(latencies, 0.5), p95: percentile(latencies, 0.95) } : null,
  };
}
