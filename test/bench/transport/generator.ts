// Puts load on a server, from a separate process. Argument: the Load as JSON. Prints `started`, then Passed as JSON.
import { setTimeout as sleep } from 'node:timers/promises';
import { realJpegs } from '../../support/pictures.js';
import { RawClient } from './raw-client.js';
import { side, type Load, type Passed } from './scene.js';

const { port, connections, fps, warmUpMs, ms } = JSON.parse(process.argv[2] ?? '') as Load;
const jpegs = (await realJpegs(side, side)).slice(0, 8);

let results = 0;
let dropped = 0;
let latencies: number[] = [];
const events = {
  result(captured: number) {
    results += 1;
    if (fps > 0) latencies.push(performance.now() - captured);
  },
  dropped: () => void (dropped += 1),
};
const parameters = { width: side, height: side, quality: 85 };
const clients = await Promise.all(
  Array.from({ length: connections }, () => RawClient.open(port, jpegs, parameters, events)),
);
if (fps === 0) for (const client of clients) client.sendAll();
const cameras = clients.map((client) => (fps > 0 ? setInterval(() => client.send(), 1000 / fps) : undefined));
await sleep(warmUpMs);
results = 0;
dropped = 0;
latencies = [];
const start = performance.now();
process.stdout.write('started\n');
await sleep(ms);
const passed: Passed = { results, dropped, seconds: (performance.now() - start) / 1000, latencies };
process.stdout.write(`${JSON.stringify(passed)}\n`);
for (const camera of cameras) clearInterval(camera);
for (const client of clients) client.close();
