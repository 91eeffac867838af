import { setTimeout as sleep } from 'node:timers/promises';
import { pythonEnvironment } from './python-environment.js';
import { median, quantile, report, type Figure } from './report.js';
import { Contender, type Run } from './transport/contender.js';
import { RawClient } from './transport/raw-client.js';
import { side } from './transport/scene.js';

/**
 * The cost of the server apart from inference: `npm run bench -- transport`. A pass-through (which only benchmarks can
 * set) replaces the inference, and is compared with a server written with FastAPI and uvicorn
 * (transport/fastapi_server.py).
 *
 * Both receive `frame` messages of 512x512 JPEG files in MessagePack over WebSocket, check them, send credits, queue
 * only the newest frame, wait while two results are unacknowledged, send `result` messages with timings, and count and
 * time all this for Prometheus. Transport alone: the JPEG is returned unchanged. With JPEG: it is decoded to RGB and
 * encoded again, in threads on both sides, by libjpeg-turbo in Millrace, and by the same (simplejpeg) or Pillow in
 * FastAPI. Bare: FastAPI without checks and metrics. Millrace also does its usual work: limits, structure and age of
 * messages, the client's clock, checkpoints.
 *
 * The load comes from another process, whose clients use little CPU and have two frames under way each. The servers
 * take turns; figures are medians, and ratios are those of medians. All servers may use all cores; CPU time shows what
 * one core would do.
 */
const rounds = 3;
const loads = [1, 64] as const;
const figures: Figure[] = [];
const python = await pythonEnvironment({
  bench: 'transport',
  missing: (reason) => `FastAPI cannot be installed: ${reason}; set PYTHON to a Python 3.10 or newer`,
});
if ('missing' in python) console.log(python.missing);

/** One server of a comparison; the first is ours. */
interface Named {
  readonly name: string;
  readonly server: Contender;
}

/**
 * The cargo, the goal for frames over FastAPI's by connections, and the servers to compare with: their names and the
 * arguments of fastapi_server.py.
 */
const scenes = [
  {
    cargo: 'files',
    what: 'transport alone',
    goal: (connections: number) => (connections === 1 ? 'at least 1' : 'at least 1.2'),
    others: { FastAPI: ['files'], 'bare FastAPI': ['files', 'bare'] },
  },
  {
    cargo: 'pictures',
    what: 'with JPEG',
    goal: () => 'at least 5',
    others: { 'FastAPI and simplejpeg': ['simplejpeg'], 'FastAPI and Pillow': ['pillow'] },
  },
] as const;

/** Runs all servers in turns under one load. */
async function takeTurns(
  servers: readonly Named[],
  load: { readonly connections: number; readonly fps: number },
): Promise<readonly (readonly Run[])[]> {
  const runs = servers.map((): Run[] => []);
  for (let round = 0; round < rounds; round++) {
    // V8 compiles for seconds under a new load; a server that has run for a while is the question.
    const times = { warmUpMs: round === 0 ? 5000 : 500, ms: 2500 };
    for (const [i, { server }] of servers.entries()) runs[i]?.push(await server.run({ ...load, ...times }));
  }
  return runs;
}

/** Adds the frames a second and CPU time of each server, and the ratios to Millrace. */
async function compareRates(
  servers: readonly Named[],
  { what, goal: goalFor }: (typeof scenes)[number],
): Promise<void> {
  for (const connections of loads) {
    const runs = await takeTurns(servers, { connections, fps: 0 });
    const rates = runs.map((some) => median(some.map(({ rate }) => rate)));
    const costs = runs.map((some) => median(some.map(({ cpuMs }) => cpuMs)));
    const load = `${what}, ${connections} connection${connections > 1 ? 's' : ''}`;
    for (const [i, { name }] of servers.entries()) {
      const [rate, cost] = [rates[i], costs[i]];
      const [ourRate, ourCost] = [rates[0], costs[0]];
      figures.push(
        { what: `${load}: frames a second of ${name}`, value: rate, unit: '/s' },
        { what: `${load}: CPU of a frame of ${name}`, value: cost, unit: 'ms' },
      );
      if (i === 0) continue;
      const goal = name.startsWith('bare') ? undefined : goalFor(connections);
      figures.push(
        { what: `${load}: frames over ${name}`, value: ourRate / rate, unit: 'x', ...(goal && { goal }) },
        { what: `${load}: CPU of ${name} over Millrace`, value: cost / ourCost, unit: 'x' },
      );
    }
    const lost = runs.flat().reduce((sum, { dropped }) => sum + dropped, 0);
    if (lost > 0) figures.push({ what: `${load}: frames dropped in total`, value: lost, unit: '' });
  }
}

/** Adds the latency of each server without inference. */
async function compareLatencies(servers: readonly Named[]): Promise<void> {
  for (const connections of [1, 8]) {
    const runs = await takeTurns(servers, { connections, fps: 30 });
    for (const [i, { name }] of servers.entries()) {
      const latencies = (runs[i] ?? []).flatMap((run) => run.latencies);
      for (const [percentile, share] of [
        ['p50', 0.5],
        ['p99', 0.99],
      ] as const) {
        const what = `latency without inference ${percentile}, ${connections} x 30 frames/s, ${name}`;
        figures.push({ what, value: quantile(latencies, share), unit: 'ms' });
      }
    }
  }
}

/** Measures the memory of an open connection without frames, in KiB. */
async function idleConnection(contender: Contender): Promise<number> {
  const count = 500;
  const size = { width: side, height: side };
  const events = { result: () => {}, dropped: () => {} };
  const open = (): Promise<RawClient> => RawClient.open(contender.port, [], size, events);
  // The first connections cause allocations that are not per connection.
  const first = await Promise.all(Array.from({ length: 8 }, open));
  await sleep(1000);
  const before = await contender.usage();
  const clients: RawClient[] = [];
  for (let i = 0; i < count; i++) clients.push(await open());
  await sleep(1500);
  const after = await contender.usage();
  for (const client of [...first, ...clients]) client.close();
  return (after.residentBytes - before.residentBytes) / count / 1024;
}

for (const scene of scenes) {
  const { cargo, others } = scene;
  const servers: Named[] = [{ name: 'Millrace', server: await Contender.millrace(cargo) }];
  try {
    if ('program' in python) {
      for (const [name, args] of Object.entries<readonly string[]>(others)) {
        servers.push({ name, server: await Contender.fastApi(python.program, ...args) });
      }
    }
    await compareRates(servers, scene);
    if (cargo === 'pictures') await compareLatencies(servers);
  } finally {
    await Promise.all(servers.map(({ server }) => server[Symbol.asyncDispose]()));
  }
}
{
  // Collected garbage does not count.
  const collect = new URL('../soak/collect.js', import.meta.url).href;
  await using millrace = await Contender.millrace('pictures', ['--import', collect]);
  const value = await idleConnection(millrace);
  figures.push({ what: 'memory of an idle connection', value, unit: 'KiB', goal: 'under 100' });
}
if ('program' in python) {
  await using fastApi = await Contender.fastApi(python.program, 'simplejpeg');
  const value = await idleConnection(fastApi);
  figures.push({ what: 'memory of an idle connection of FastAPI', value, unit: 'KiB' });
}
report('transport', figures);
