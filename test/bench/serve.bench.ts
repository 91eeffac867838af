import { connect, type MillraceStream } from '@millrace/client';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';
import { SeededNoise } from '../../src/diffusion/noise.js';
import type { Row } from '../../src/diffusion/stream.js';
import { ModelRuntime } from '../../src/engine/worker/networks/runtime.js';
import { readModelFolder } from '../../src/model/folder.js';
import { embeddedModel } from '../support/engine.js';
import { realJpegs } from '../support/pictures.js';
import { repositoryRoot } from '../support/reference.js';
import { startServer } from '../support/server-process.js';
import { median, quantile, report, type Figure } from './report.js';

/**
 * Figures of the server as one client sees it: `npm run bench -- serve`. The plain ONNX calls and the server run in
 * turns, with the same number of threads, and the figure is the ratio of the medians.
 */
const side = 256;
const threads = 2;
const rounds = 4;
const ms = 4000;
const figures: Figure[] = [];
const jpegs = await realJpegs(side, side);

/** Measures the frames per second of the plain calls: only VAE encoder, U-Net and VAE decoder. */
async function bareLoop(runtime: ModelRuntime, steps: number): Promise<number> {
  const size = { width: side, height: side };
  const shape = runtime.latentShape(size);
  const length = shape[0] * shape[1] * shape[2];
  const pixels = new Uint8Array(3 * side * side).fill(140);
  const out = new Uint8ClampedArray(pixels.length);
  const row: Row = {
    role: 'positive',
    stage: { timestep: 239, a: 1, b: 1, inputScale: 1 },
    input: new SeededNoise([{ seed: 1, weight: 1 }], length, 0).at(0, 0),
    conditioning: await runtime.embed('oil painting'),
  };
  let frames = 0;
  const start = performance.now();
  while (performance.now() - start < ms) {
    await runtime.encode(pixels, size);
    for (let step = 0; step < steps; step++) await runtime.predict([row], shape);
    await runtime.decode(row.input, size, out);
    frames += 1;
  }
  return frames / ((performance.now() - start) / 1000);
}

/** Sends frames at the rate of a camera and takes each result at once. */
async function play(stream: MillraceStream, fps: number): Promise<{ fps: number; latencies: number[] }> {
  const latencies: number[] = [];
  const stop = stream.on('result', ({ captured }) => latencies.push(performance.now() - captured));
  let frame = 0;
  const camera = setInterval(() => stream.send(jpegs[frame++ % jpegs.length]), 1000 / fps);
  // Frames already under way do not count.
  await new Promise((resolve) => setTimeout(resolve, 500));
  latencies.length = 0;
  const start = performance.now();
  await new Promise((resolve) => setTimeout(resolve, ms));
  const seconds = (performance.now() - start) / 1000;
  clearInterval(camera);
  stop();
  return { fps: latencies.length / seconds, latencies };
}

{
  const folder = await readModelFolder(embeddedModel);
  const layout = folder.int8 ?? folder.layout;
  const precision = folder.int8 ? 'int8' : 'float';
  await using server = await startServer('--threads', String(threads), '--precision', precision);
  await using inFloats = await startServer('--threads', String(threads), '--precision', 'float');
  await using runtime = await ModelRuntime.load({ ...folder, layout }, { threads });
  for (const [steps, t_index_list] of [
    [1, [38]],
    [2, [25, 38]],
    [4, [18, 25, 32, 38]],
  ] as const) {
    await using stream = await connect(server.url, {
      webSocket: WebSocket,
      parameters: { width: side, height: side, prompt: 'oil painting', t_index_list: [...t_index_list] },
    });
    await using floatStream = await connect(inFloats.url, {
      webSocket: WebSocket,
      parameters: { width: side, height: side, prompt: 'oil painting', t_index_list: [...t_index_list] },
    });
    const floats: number[] = [];
    const bare: number[] = [];
    const served: number[] = [];
    const latencies: number[] = [];
    await bareLoop(runtime, steps);
    for (let round = 0; round < rounds; round++) {
      bare.push(await bareLoop(runtime, steps));
      served.push((await play(stream, 60)).fps);
      floats.push((await play(floatStream, 60)).fps);
      latencies.push(...(await play(stream, 30)).latencies);
    }
    const name = `${steps} step${steps > 1 ? 's' : ''}`;
    figures.push(
      {
        what: `frames per second of one client, ${name}, ${precision}`,
        value: median(served),
        unit: '/s',
        ...(steps === 1 && { goal: 'at least 20' }),
      },
      { what: `the same over floats, ${name}`, value: median(served) / median(floats), unit: 'x' },
      { what: `frames per second of the plain ONNX calls, ${name}`, value: median(bare), unit: '/s' },
      {
        what: `client over plain calls, ${name}`,
        value: median(served) / median(bare),
        unit: 'x',
        ...(steps === 1 && { goal: 'at least 0.95' }),
      },
      { what: `latency p50, camera of 30/s, ${name}`, value: quantile(latencies, 0.5), unit: 'ms' },
      { what: `latency p95, camera of 30/s, ${name}`, value: quantile(latencies, 0.95), unit: 'ms' },
      {
        what: `the same p50 over the time of one frame of plain calls, ${name}`,
        value: (quantile(latencies, 0.5) * median(bare)) / 1000,
        unit: 'x',
        goal: 'at most 1.6',
      },
    );
  }
  {
    const large = { width: 512, height: 512, prompt: 'oil painting', t_index_list: [25] };
    await using stream = await connect(server.url, { webSocket: WebSocket, parameters: large });
    figures.push({
      what: `frames per second of one client, one step, 512x512, ${precision}`,
      value: (await play(stream, 60)).fps,
      unit: '/s',
    });
  }
  const [p99 = NaN] = (await server.metrics('millrace_nodejs_eventloop_lag_p99_seconds')).values();
  // Node.js measures from one tick of a 10 ms timer to the next, so its lag is never below 10 ms.
  const lag = p99 - 0.01;
  figures.push({
    what: 'event-loop lag p99 of the main thread under this load',
    value: lag * 1000,
    unit: 'ms',
    goal: 'under 10',
  });
}

/** Measures the milliseconds from `npm start` to the first result at a client. */
async function firstFrame(): Promise<number> {
  const start = performance.now();
  const child = spawn('npm', ['start', '--', '--port', '0', '--log-format', 'json'], {
    cwd: repositoryRoot,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  try {
    const url = await listening(child);
    for (;;) {
      try {
        await using stream = await connect(url, { webSocket: WebSocket });
        const result = stream.frames().next();
        stream.send(jpegs[0]);
        await result;
        return performance.now() - start;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  } finally {
    // npm starts a shell, which starts the server, so the whole group gets the signal.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
    await once(child, 'exit');
  }
}

async function listening(child: ReturnType<typeof spawn>): Promise<string> {
  if (child.stdout === null) throw new Error('npm has no output');
  for await (const line of createInterface(child.stdout)) {
    const [url] = /http:\/\/[\d.]+:\d+/.exec(line) ?? [];
    if (url === undefined) continue;
    child.stdout.resume();
    return url;
  }
  throw new Error('npm start exited before the server was listening');
}

await firstFrame();
const starts = [await firstFrame(), await firstFrame(), await firstFrame()];
figures.push({
  what: 'npm start to the first generated frame, after a first run',
  value: median(starts) / 1000,
  unit: 's',
  goal: 'under 3',
});

report('serve', figures);
