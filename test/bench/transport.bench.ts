import { setTimeout as sleep } from 'node:timers/promises';
import { pythonEnvironment } from './python-environment.js';
import { median, quantile, report, type Figure } from './report.js';
import { Contender, type Run } from './transport/contender.js';
import { RawClient } from './transport/raw-client.js';
import { side } from './transport/scene.js';

/**
 * What the server costs around the inference: `npm run bench -- transport`. Inference is switched to a pass-through
 * (a part that only benchmarks can put in), and the same is done by a server written with FastAPI and uvicorn
 * (transport/fastapi_server.py).
 *
 * Both take `frame` messages of 512x512 JPEG files in MessagePack over WebSocket, check them, give credits, keep a
 * waiting place of one where the newest wins, hold back while two results are unacknowledged, send `result` messages
 * with timings, and count and time all this for Prometheus. Transport alone: the JPEG goes back as it came. With JPEG:
 * it is decoded to RGB and encoded again, in threads on both sides, by libjpeg-turbo here, and there by the same
 * (simplejpeg) or by Pillow. Bare: FastAPI without checks and metrics. Millrace does all that it does for its users
 * besides: limits, structure and age of messages, the client's clock, checkpoints.
 *
 * The load comes from another process, whose clients have two frames under way each, and do next to nothing. The
 * servers take turns; figures are medians, and ratios those of the medians. All have all cores; CPU time says what one
 * core would do.
 */
const rounds = 3;
const loads = [1, 64] as const;
const figures: Figure[] = [];
const python = await pythonEnvironment({
  bench: 'transport',
  missing: (reason) => `no FastAPI to compare with: ${reason}; PYTHON names a Python 3.10 or newer`,
});
if ('missing' in python) console.log(python.missing);

/** One server of a comparison; the first is ours. */
interface Named {
  readonly name: string;
  readonly server: Contender;
}

/** What goes through, and who else does it: how FastAPI is called, and the arguments of its server. */
const scenes = [
  {
    cargo: 'files',
    what: 'transport alone',
    others: { FastAPI: ['files'], 'bare FastAPI': ['files', 'bare'] },
  },
  {
    cargo: 'pictures',
    what: 'with JPEG',
    others: { 'FastAPI and simplejpeg': ['simplejpeg'], 'FastAPI and Pillow': ['pillow'] },
  },
] as const;

/** The runs of all servers under one load, in turns. */
async function takeTurns(
  servers: readonly Named[],
  load: { readonly connections: number; readonly fps: number },
): Promise<readonly (readonly Run[])[]> {
  const runs = servers.map((): Run[] => []);
  for (let round = 0; round < rounds; round++) {
    const times = { warmUpMs: round === 0 ? 1500 : 500, ms: 2500 };
    for (const [i, { server }] of servers.entries()) runs[i]?.push(await server.run({ ...load, ...times }));
  }
  return runs;
}

/** Frames a second and CPU of each, and the ratios to ours. */
async function compareRates(servers: readonly Named[], what: string): Promise<void> {
  for (const connections of loads) {
    const runs = await takeTurns(servers, { connections, fps: 0 });
    const rates = runs.map((some) => median(some.map(({ rate }) => rate)));
    const costs = runs.map((some) => median(some.map(({ cpuMs }) => cpuMs)));
    const scene = `${what}, ${connections} connection${connections > 1 ? 's' : ''}`;
    for (const [i, { name }] of servers.entries()) {
      const [rate, cost] = [rates[i], costs[i]];
      const [ourRate, ourCost] = [rates[0], costs[0]];
      figures.push(
        { what: `${scene}: frames a second of ${name}`, value: rate, unit: '/s' },
        { what: `${scene}: CPU of a frame of ${name}`, value: cost, unit: 'ms' },
      );
      if (i === 0) continue;
      const goal = name.startsWith('bare') ? undefined : 'at least 5';
      figures.push(
        { what: `${scene}: frames over ${name}`, value: ourRate / rate, unit: 'x', ...(goal && { goal }) },
        { what: `${scene}: CPU of ${name} over ours`, value: cost / ourCost, unit: 'x' },
      );
    }
    const lost = runs.flat().reduce((sum, { dropped }) => sum + dropped, 0);
    if (lost > 0) figures.push({ what: `${scene}: frames dropped by all together`, value: lost, unit: '' });
  }
}

/** What the servers add to the time of a frame: there is no inference in it. */
async function compareLatencies(servers: readonly Named[]): Promise<void> {
  for (const connections of [1, 8]) {
    const runs = await takeTurns(servers, { connections, fps: 30 });
    for (const [i, { name }] of servers.entries()) {
      const latencies = (runs[i] ?? []).flatMap((run) => run.latencies);
      for (const [percentile, share] of [
        ['p50', 0.5],
        ['p99', 0.99],
      ] as const) {
        const what = `latency beside inference ${percentile}, ${connections} x 30 frames/s, ${name}`;
        figures.push({ what, value: quantile(latencies, share), unit: 'ms' });
      }
    }
  }
}

/** Memory that an open connection without frames takes, in KiB. */
async function idleConnection(contender: Contender): Promise<number> {
  const count = 500;
  const size = { width: side, height: side };
  const events = { result: () => {}, dropped: () => {} };
  const open = (): Promise<RawClient> => RawClient.open(contender.port, [], size, events);
  // What the first connections bring is not theirs.
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

for (const { cargo, what, others } of scenes) {
  const servers: Named[] = [{ name: 'Millrace', server: await Contender.millrace(cargo) }];
  try {
    if ('program' in python) {
      for (const [name, args] of Object.entries<readonly string[]>(others)) {
        servers.push({ name, server: await Contender.fastApi(python.program, ...args) });
      }
    }
    await compareRates(servers, what);
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
