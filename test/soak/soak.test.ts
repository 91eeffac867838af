import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeJpeg } from '../../src/image/encode.js';
import { soakParts } from '../attacks/cases/mixed.js';
import { aimAt, Attackers } from '../attacks/harness/attackers.js';
import { bounds } from '../attacks/harness/judge.js';
import { peakMemory } from '../attacks/harness/vitals.js';
import { Mutator } from '../faults/mutator.js';
import { testImage, tinyModel } from '../support/engine.js';
import { startServerIn, type ServerProcess } from '../support/server-process.js';
import { StreamClient } from '../support/stream-client.js';

/** `npm run test:soak` takes 8 minutes; in the normal test run a few seconds are enough. */
const seconds = Number(process.env['MILLRACE_SOAK_SECONDS'] ?? 8);
const clients = 6;
/** Seconds until the attackers are replaced by others. */
const attackSeconds = 20;
const small = { width: 64, height: 64 };
const pictures = await Promise.all([0, 1, 2].map((i) => encodeJpeg(testImage(i, small), 90)));
const MiB = 1024 * 1024;

/** Measurements of the server that should not grow. */
interface Levels {
  readonly resident: number;
  readonly heap: number;
  /** Sockets, timers and the like. */
  readonly resources: number;
}

/** Waits until the server has no session, and measures it. */
async function levels(server: ServerProcess): Promise<Levels> {
  for (;;) {
    const metrics = await server.metrics('millrace_');
    const sessions = ['opening', 'active', 'closing'].map((state) =>
      metrics.get(`millrace_sessions{state="${state}"}`),
    );
    if (sessions.every((count) => count === 0)) break;
    await sleep(50);
  }
  // Lost sessions stay for the grace period, and garbage until it is collected.
  const samples: Levels[] = [];
  for (let i = 0; i < 5; i++) {
    await sleep(200);
    const metrics = await server.metrics('millrace_');
    samples.push({
      resident: metrics.get('millrace_process_resident_memory_bytes') ?? Number.NaN,
      heap: metrics.get('millrace_nodejs_heap_size_used_bytes') ?? Number.NaN,
      resources: sumOf(metrics, 'millrace_nodejs_active_resources{'),
    });
  }
  const least = (name: keyof Levels): number => Math.min(...samples.map((sample) => sample[name]));
  return { resident: least('resident'), heap: least('heap'), resources: least('resources') };
}

/** Returns the sum of a series over its labels. */
function sumOf(metrics: ReadonlyMap<string, number>, start: string): number {
  return [...metrics].reduce((sum, [name, value]) => (name.startsWith(start) ? sum + value : sum), 0);
}

/** Runs one client after another, of every kind, until `until`. Returns their number. */
async function comeAndGo(url: string, until: number, seed: number): Promise<number> {
  const mutator = new Mutator(seed);
  let visits = 0;
  let resume: string | undefined;
  for (; performance.now() < until; visits++) {
    const client = await StreamClient.connect(url);
    client.send({ type: 'hello', parameters: small, ...(resume !== undefined && { resume }) });
    resume = undefined;
    await client.until(() => client.all('ready')[0]);
    const first = 1000 * visits;
    for (let i = 0; i < 3 + (visits % 5); i++) {
      await client.sendFrame(first + i, pictures[i % 3] ?? new Uint8Array());
    }
    client.send({ type: 'update', request: visits, parameters: { delta: (visits % 10) / 10 } });
    await client.first('updated');
    switch (visits % 4) {
      case 0:
        client.socket.close(1000);
        break;
      case 1:
        client.socket.terminate();
        resume = client.all('checkpoint').at(-1)?.token;
        break;
      case 2:
        client.socket.terminate();
        break;
      default:
        for (let i = 0; i < 20 && client.socket.readyState === client.socket.OPEN; i++) {
          client.socket.send(mutator.next());
        }
        client.socket.terminate();
    }
    await client.closed;
  }
  return visits;
}

/** Runs attackers of every kind until `until`. Returns their tallies as JSON. */
async function attack(server: ServerProcess, until: number): Promise<string> {
  const tallies: string[] = [];
  while (performance.now() < until) {
    await using attackers = await Attackers.start(await aimAt(server), [soakParts]);
    attackers.begin();
    await sleep(Math.max(1000, Math.min(attackSeconds * 1000, until - performance.now())));
    tallies.push(JSON.stringify(await attackers.stop()));
  }
  return tallies.join(', ');
}

it(
  `a server does not grow while clients and attackers come and go for ${seconds} seconds`,
  { timeout: (seconds + 600) * 1000 },
  async (t) => {
    const flags = ['--model', tinyModel, '--threads', '1', '--drain-seconds', '0'];
    const limits = ['--max-connects-per-minute', '1000000', '--grace-seconds', '0.3', '--slo-fps', '0'];
    // Long enough for a busy machine.
    const timeouts = ['--hello-timeout-seconds', '120', '--ping-seconds', '60'];
    const imports = new URL('collect.js', import.meta.url);
    await using server = await startServerIn({ imports }, ...flags, ...limits, ...timeouts);
    const url = `${server.url.replace('http', 'ws')}/v1/stream`;
    const round = async (part: number): Promise<number> => {
      const until = performance.now() + seconds * 1000 * part;
      const attackers = attack(server, until);
      const visits = await Promise.all(
        Array.from({ length: clients }, (_, i) => comeAndGo(url, until, i + 1)),
      );
      t.diagnostic(`the attackers: ${await attackers}`);
      return visits.reduce((sum, count) => sum + count, 0);
    };
    await round(0.3);
    const before = await levels(server);
    const visits = await round(0.7);
    const after = await levels(server);
    t.diagnostic(`${visits} clients; before ${JSON.stringify(before)}, after ${JSON.stringify(after)}`);
    assert.ok(visits >= clients, 'every client slot was used at least once');
    assert.ok(after.resources <= before.resources + 3, 'sockets or timers are left over');
    assert.ok(after.heap <= before.heap * 1.3 + 8 * MiB, 'the heap grows');
    // Decoders keep some memory of the largest pictures, which may arrive after the first measurement.
    assert.ok(after.resident <= before.resident * 1.2 + 128 * MiB, 'memory grows');
    if (process.platform !== 'linux') return;
    const peak = await peakMemory(server);
    assert.ok(peak <= before.resident + bounds.memory, `memory was at ${Math.round(peak / MiB)} MiB`);
  },
);
