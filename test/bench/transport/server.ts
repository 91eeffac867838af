// A server without inference in a separate process. Argument: its Cargo. Prints its address.
import { pino } from 'pino';
import { createApp } from '../../../src/app.js';
import { readSettings } from '../../../src/settings/settings.js';
import { embeddedModel } from '../../support/engine.js';
import { passThroughParts } from './pass-through.js';
import { side } from './scene.js';

const cargo = process.argv[2] === 'pictures' ? 'pictures' : 'files';
const flags = {
  port: 0,
  model: embeddedModel,
  sloFps: 0,
  drainSeconds: 0,
  // All clients come from one address, as fast as they can.
  maxSessions: 1000,
  maxConnectionsPerAddress: 1000,
  maxConnectsPerMinute: 1_000_000,
  maxPlainConnectionsPerAddress: 1000,
  maxRequestsPerSecond: 100_000,
  maxMessagesPerSecond: 100_000,
};
const log = pino({ level: 'silent' });
await using app = await createApp(readSettings({ flags }), log, passThroughParts(cargo, side));
const { port } = await app.listen();
await app.ready();
process.stdout.write(`http://127.0.0.1:${port}\n`);
await new Promise((resolve) => process.once('SIGTERM', resolve));
