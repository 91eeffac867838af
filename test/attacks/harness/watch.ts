import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerProcess } from '../../support/server-process.js';
import type { Tally } from '../attack.js';
import type { Attackers } from './attackers.js';
import type { Bystander } from './bystander.js';
import { stretchOf, type Stretch } from './judge.js';
import { readVitals, type Vitals } from './vitals.js';

/** Milliseconds within which a new client must be answered. */
const answerTimeoutMs = 5000;

interface Watchable {
  readonly server: ServerProcess;
  readonly bystander: Bystander;
}

/** A period of time, and the server before and after it. */
export interface Watched {
  readonly stretch: Stretch;
  readonly before: Vitals;
  /** Null if the server no longer answered. */
  readonly after: Vitals | null;
  readonly tally: Tally;
  /** Whether a new client in the middle of it was answered. */
  readonly answered: boolean;
  /** Why the server did not answer afterwards; empty if it did. */
  readonly problem: readonly string[];
}

/** @param attackers attack between the two readings of the server. */
export async function watch(
  { server, bystander }: Watchable,
  seconds: number,
  attackers?: Attackers,
): Promise<Watched> {
  const before = await readVitals(server);
  attackers?.begin();
  const begin = Date.now();
  const [answered] = await Promise.all([
    sleep(500 * seconds).then(() => isAnswered(server.url)),
    sleep(1000 * seconds),
  ]);
  const end = Date.now();
  const tally = (await attackers?.stop()) ?? {};
  const results = bystander.events.filter(({ what }) => what === 'result');
  const times = results.map(({ time }) => time);
  const stretch = stretchOf(times, begin, end);
  try {
    return { stretch, before, after: await readVitals(server), tally, answered, problem: [] };
  } catch (error) {
    const { exitCode, signalCode } = server.child;
    const ended = exitCode !== null || signalCode !== null;
    const text = error instanceof Error ? error.message : String(error);
    const problem = ended ? `the server exited (${signalCode ?? exitCode})` : text;
    return { stretch, before, after: null, tally, answered, problem: [problem] };
  }
}

/** Sends a request over a new connection, from another address than the attackers'. */
async function isAnswered(url: string): Promise<boolean> {
  const request = get(`${url}/healthz`, { agent: false, signal: AbortSignal.timeout(answerTimeoutMs) });
  try {
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode === 200;
  } catch {
    return false;
  } finally {
    // Without a listener, a further error would end this process.
    request.on('error', () => {});
  }
}
