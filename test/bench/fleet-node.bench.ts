import { connect, MillraceError, type MillraceStream } from '@millrace/client';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';
import { cost } from '../../src/engine/costs.js';
import { readModelFolder } from '../../src/model/folder.js';
import { createParameterRules } from '../../src/session/live/parameter-rules.js';
import { embeddedModel } from '../support/engine.js';
import { realJpegs } from '../support/pictures.js';
import { repositoryRoot } from '../support/reference.js';
import { startServer } from '../support/server-process.js';
import { nodeModel } from './fleet/node-model.js';
import { doctorCosts } from './fleet/options.js';
import { report, type Figure } from './report.js';

/**
 * Whether a server does what the planner says of one node: `npm run bench -- fleet-node`. Both have the cost curve that
 * `millrace doctor` has measured and kept, and the same promises. Users come until one is refused, and leave again;
 * meanwhile their frames are counted, and compared with the model at the speed of U-Net calls at that time: that of a
 * machine changes within minutes. While other programs load the machine, the server corrects its curve, and has fewer
 * slots than the planner says. It takes two minutes.
 */
const most = 256;
/** Least results that count, of each user and of all: so many that the last, which come in one call, are a small part. */
const fewest = { each: 8, all: 60 };
/** Promised: so little that a slow processor has room for many users, and one more or less is below 10%. */
const slo = { fps: 0.25, latencySeconds: 0 };
/** More than a server on a processor can do, and so little that the cameras take no time from it. */
const camera = 30;
const { defaults: parameters } = createParameterRules(await readModelFolder(embeddedModel));
const { width, height } = parameters;
const jpegs = await realJpegs(width, height);

const folder = await mkdtemp(join(tmpdir(), 'millrace-fleet-node-'));
const engine = ['--threads', '1', '--device', 'cpu'];
/** Where the server finds what doctor has measured. */
const env = { ...process.env, MILLRACE_CACHE_DIRECTORY: folder };

/** A user whose camera is faster than the server. */
interface User {
  readonly stream: MillraceStream;
  results: number;
  readonly stop: () => void;
}

async function enter(url: string): Promise<User> {
  const stream = await connect(url, {
    webSocket: WebSocket,
    reconnectSeconds: 0,
  });
  let frame = 0;
  const timer = setInterval(() => stream.send(jpegs[frame++ % jpegs.length]), 1000 / camera);
  const user: User = { stream, results: 0, stop: () => clearInterval(timer) };
  stream.on('result', () => (user.results += 1));
  return user;
}

async function leave(user: User): Promise<void> {
  user.stop();
  await user.stream.close();
}

/** Waits until each user has had as many more results. @returns how many they had together. */
async function moreResults(users: readonly User[], each: number): Promise<number> {
  for (const user of users) user.results = 0;
  while (users.some(({ results }) => results < each)) await pause(1);
  return users.reduce((sum, { results }) => sum + results, 0);
}

/** Returns the frames per second that a user gets, on average. */
async function framesOf(users: readonly User[]): Promise<number> {
  const start = performance.now();
  const results = await moreResults(users, Math.max(fewest.each, fewest.all / users.length));
  const seconds = (performance.now() - start) / 1000;
  return results / users.length / seconds;
}

/** Opens streams until one is refused. */
async function enterUntilRefused(url: string): Promise<User[]> {
  const users: User[] = [];
  try {
    while (users.length < most) users.push(await enter(url));
  } catch (error) {
    // It is full.
    if (!(error instanceof MillraceError) || error.code !== 'too_many_sessions') throw error;
  }
  return users;
}

try {
  const main = join(repositoryRoot, 'dist/src/cli/main.js');
  const doctor = [main, 'doctor', '--json', ...engine];
  const { stdout } = await promisify(execFile)(process.execPath, doctor, { env });
  const costs = doctorCosts(stdout);
  if (costs === null) throw new Error(`millrace doctor has measured nothing: ${stdout}`);
  const model = nodeModel({ ...costs, ...slo, most, parameters });
  const options = {
    'max-sessions': most,
    'max-connections-per-address': most + 1,
    'queue-length': 0,
    'grace-seconds': 0,
    'slo-fps': slo.fps,
    'slo-latency-seconds': slo.latencySeconds,
    calibration: 'kept',
    'cache-directory': folder,
  };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  await using server = await startServer(...engine, ...flags);
  const metric = async (name: string): Promise<number> =>
    (await server.metrics(`millrace_${name}`)).get(`millrace_${name}`) ?? NaN;
  /** Returns the U-Net calls so far. */
  const readCalls = async (): Promise<{
    readonly count: number;
    readonly rows: number;
    readonly ms: number;
  }> => {
    const count = await metric('inference_seconds_count');
    return {
      count,
      rows: await metric('inference_rows_sum'),
      ms: 1000 * (await metric('inference_seconds_sum')),
    };
  };
  const figures: Figure[] = [];
  const compare = (what: string, value: number, expected: number, unit = ''): void => {
    figures.push(
      { what, value, unit },
      { what: `${what}, over the model`, value: value / expected, unit: 'x', goal: '0.9 to 1.1' },
    );
  };
  const compareFrames = async (users: readonly User[]): Promise<void> => {
    // Streams that were opened just now have their prompts encoded; others have just left.
    await moreResults(users, 2);
    const before = await readCalls();
    const frames = await framesOf(users);
    const after = await readCalls();
    const calls = after.count - before.count;
    const usualMs = cost(costs.costs, (after.rows - before.rows) / calls);
    const slowdown = (after.ms - before.ms) / calls / usualMs;
    figures.push({
      what: `U-Net calls of ${users.length} users, over what doctor measured`,
      value: slowdown,
      unit: 'x',
    });
    const expected = model.framesEach(users.length, camera) / slowdown;
    compare(`frames per second of each of ${users.length}`, frames, expected, '/s');
  };
  compare('slots at the start', await metric('session_slots'), model.slots);
  const calibrated = await metric('capacity_rows_per_second');
  const first = await enter(server.url);
  await compareFrames([first]);
  await leave(first);
  const users = await enterUntilRefused(server.url);
  compare('users before one is refused', users.length, model.slots);
  for (;;) {
    await compareFrames(users);
    const staying = Math.floor(users.length / 2);
    await Promise.all(users.splice(staying).map(leave));
    if (staying <= 1) break;
  }
  await Promise.all(users.map(leave));
  const slowdown = calibrated / (await metric('capacity_rows_per_second'));
  figures.push({ what: 'slowdown that the server has found', value: slowdown, unit: 'x', goal: '1' });
  report('fleet-node', figures);
} finally {
  await rm(folder, { recursive: true });
}
