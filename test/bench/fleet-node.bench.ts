import { connect, MillraceError, type MillraceStream } from '@millrace/client';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';
import { readModelFolder } from '../../src/model/folder.js';
import { createParameterRules } from '../../src/session/live/parameter-rules.js';
import { embeddedModel } from '../support/engine.js';
import { realJpegs } from '../support/pictures.js';
import { repositoryRoot } from '../support/reference.js';
import { startServer } from '../support/server-process.js';
import { nodeModel } from './fleet/node-model.js';
import { doctorCosts } from './fleet/options.js';
import { median, report, type Figure } from './report.js';

/**
 * Whether a server does what the planner says of one node: `npm run bench -- fleet-node`. Its costs are those that the
 * server itself has kept from `millrace doctor`. Users come until one is refused, and leave again; meanwhile their
 * frames are counted. It takes less than two minutes.
 */
const ms = 5000;
/** Promised: little, so that a slow processor has room for several users. */
const fps = 1;
const camera = 60;
const most = 32;
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

/** Returns the frames per second that each user gets. */
async function framesOf(users: readonly User[]): Promise<readonly number[]> {
  await pause(1500);
  for (const user of users) user.results = 0;
  const start = performance.now();
  await pause(ms);
  const seconds = (performance.now() - start) / 1000;
  return users.map(({ results }) => results / seconds);
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
  const model = nodeModel({
    unet: costs.unet,
    pictureMs: costs.picture_ms,
    fps,
    latencySeconds: 0,
    most,
    parameters,
  });
  const options = [
    '--max-sessions',
    String(most),
    '--queue-length',
    '0',
    '--grace-seconds',
    '0',
    '--slo-fps',
    String(fps),
  ];
  await using server = await startServer(...engine, ...options, '--cache-directory', folder);
  const figures: Figure[] = [];
  const compare = async (users: readonly User[], what: string): Promise<void> => {
    const measured = await framesOf(users);
    const expected = model.framesEach(users.length, camera);
    figures.push(
      { what: `${what}: frames per second of a user`, value: median(measured), unit: '/s' },
      {
        what: `${what}: the same over the model`,
        value: median(measured) / expected,
        unit: 'x',
        goal: '0.9 to 1.1',
      },
    );
  };
  const first = await enter(server.url);
  await compare([first], '1 user');
  await leave(first);
  const users = await enterUntilRefused(server.url);
  figures.push(
    { what: 'users before one is refused', value: users.length, unit: '' },
    { what: 'the same over the model', value: users.length / model.slots, unit: 'x', goal: '0.9 to 1.1' },
  );
  await compare(users, `${users.length} users`);
  while (users.length > 2) {
    const staying = Math.floor(users.length / 2);
    await Promise.all(users.splice(staying).map(leave));
    await compare(users, `then ${users.length} user${users.length > 1 ? 's' : ''}`);
  }
  await Promise.all(users.map(leave));
  report('fleet-node', figures);
} finally {
  await rm(folder, { recursive: true });
}
